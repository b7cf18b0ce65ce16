import type { Clock } from '../../../src/core/clock.ts';

/** A clock that is set, forward or back; `travelledMs` counts only the way forward. */
export class JumpingClock implements Clock {
  #nowMs: number;
  travelledMs = 0;

  constructor(nowMs = 1_700_000_000_000) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  move(ms: number): void {
    this.#nowMs += ms;
    this.travelledMs += Math.max(0, ms);
  }

  sleep(): Promise<void> {
    throw new Error('Nothing here sleeps.');
  }
}
