import { LRUCache } from 'lru-cache';
import { type Clock, systemClock } from './clock.ts';

const MINUTE_MS = 60_000;
/** Different words that are remembered; beyond them the oldest may be said once too often. */
const MAX_WORDS = 100;

/**
 * Says the same words at most once a minute, and how often they came in between. An outage is told by whatever polls,
 * some twenty times a second; the log is for whoever looks for its cause.
 */
export class OncePerMinute {
  readonly #say: (words: string) => void;
  readonly #clock: Clock;
  readonly #said = new LRUCache<string, { atMs: number; left: number }>({ max: MAX_WORDS });

  constructor(say: (words: string) => void, clock: Clock = systemClock) {
    this.#say = say;
    this.#clock = clock;
  }

  say(words: string): void {
    const nowMs = this.#clock.monotonicMs();
    const before = this.#said.get(words);
    if (before !== undefined && nowMs - before.atMs < MINUTE_MS) {
      before.left += 1;
      return;
    }
    this.#said.set(words, { atMs: nowMs, left: 0 });
    const left = before?.left ?? 0;
    this.#say(left === 0 ? words : `${words} (and ${left} times more since it was last said)`);
  }
}
