/** Integrations counted by themselves, at most. */
interface Named {
  calls: number;
}

/** Estimates are kept for so many times as many as are named, so that none that is busy enough is overlooked. */
const CANDIDATES_PER_PLACE = 10;
/** One that takes the place of another has to be so much busier: else two alike would go on changing places. */
const TIMES_BUSIER = 2;

/**
 * Which of any number of keys are the busiest, in bounded memory. The first ones get a place at once. Once a window,
 * keys without a place that were at least twice as busy take the places of the least busy ones. Their calls are
 * estimated after Misra and Gries: never too high, and too low by at most a (places × 10)th of all calls.
 */
export class Busiest {
  readonly #places: number;
  readonly #left: (key: string) => void;
  readonly #named = new Map<string, Named>();
  readonly #candidates = new Map<string, number>();

  /** @param left told of each key that loses its place */
  constructor(places: number, left: (key: string) => void) {
    this.#places = places;
    this.#left = left;
  }

  /** Counts a call; whether its key has a place. */
  count(key: string): boolean {
    const named = this.#named.get(key);
    if (named !== undefined) {
      named.calls += 1;
      return true;
    }
    if (this.#named.size < this.#places) {
      this.#named.set(key, { calls: 1 });
      return true;
    }
    if (this.#places > 0) this.#countCandidate(key);
    return false;
  }

  /** Gives places to those who were busier, and begins a new window. */
  endWindow(): void {
    const named = [...this.#named].sort(([, a], [, b]) => a.calls - b.calls);
    const candidates = [...this.#candidates].sort(([, a], [, b]) => b - a).slice(0, named.length);
    for (const [rank, [key, calls]] of candidates.entries()) {
      const [loser, { calls: theirs }] = named[rank]!;
      if (calls < TIMES_BUSIER * Math.max(1, theirs)) break;
      this.#named.delete(loser);
      this.#left(loser);
      this.#named.set(key, { calls: 0 });
    }
    for (const one of this.#named.values()) one.calls = 0;
    this.#candidates.clear();
  }

  #countCandidate(key: string): void {
    const known = this.#candidates.get(key);
    if (known !== undefined || this.#candidates.size < this.#places * CANDIDATES_PER_PLACE) {
      this.#candidates.set(key, (known ?? 0) + 1);
      return;
    }
    // A round takes one call from each of them, so that it is paid for by the calls that it takes.
    for (const [candidate, calls] of this.#candidates) {
      if (calls === 1) this.#candidates.delete(candidate);
      else this.#candidates.set(candidate, calls - 1);
    }
  }
}
