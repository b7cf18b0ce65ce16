import type { Clock } from '../../src/core/clock.ts';

/** A clock that stands still until it is told to move. */
export class ManualClock implements Clock {
  #nowMs = 0;
  readonly #epochMs: number;
  readonly #sleepers = new Set<{ readonly untilMs: number; readonly keepAlive: boolean; readonly wake: () => void }>();
  /** What `sleep` was asked for, in order. */
  readonly sleptMs: number[] = [];

  constructor(epochMs = 1_700_000_000_000) {
    this.#epochMs = epochMs;
  }

  now(): number {
    return this.#epochMs + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal, { keepAlive = true } = {}): Promise<void> {
    this.sleptMs.push(ms);
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const aborted = () => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      const sleeper = {
        untilMs: this.#nowMs + ms,
        keepAlive,
        wake: () => {
          signal?.removeEventListener('abort', aborted);
          this.#sleepers.delete(sleeper);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', aborted, { once: true });
    });
  }

  /** Those that keep a process alive. */
  get sleepers(): number {
    return [...this.#sleepers].filter(({ keepAlive }) => keepAlive).length;
  }

  /** Moves on, waking every sleeper at its own moment and letting what it starts run first. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      await settle();
      const next = [...this.#sleepers].sort((a, b) => a.untilMs - b.untilMs)[0];
      if (next === undefined || next.untilMs > untilMs) break;
      this.#nowMs = Math.max(this.#nowMs, next.untilMs);
      next.wake();
    }
    this.#nowMs = untilMs;
    await settle();
  }
}

/** Lets every promise that can go on do so. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
