import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 20;
const WINDOW_MS = 5_000;

/** The longest delay of this process's event loop in the last five to ten seconds. */
export class LoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #beforeMs = 0;
  #sinceMs = performance.now();

  constructor() {
    this.#histogram.enable();
  }

  read(): number {
    const nowMs = performance.now();
    const currentMs = this.#histogram.count === 0 ? 0 : Math.max(0, this.#histogram.max / 1e6 - RESOLUTION_MS);
    const longestMs = Math.max(this.#beforeMs, currentMs);
    if (nowMs - this.#sinceMs >= WINDOW_MS) {
      // Nobody asked for longer than a window: what it holds is no longer of the present.
      this.#beforeMs = nowMs - this.#sinceMs < 2 * WINDOW_MS ? currentMs : 0;
      this.#sinceMs = nowMs;
      this.#histogram.reset();
    }
    return longestMs;
  }

  close(): void {
    this.#histogram.disable();
  }
}
