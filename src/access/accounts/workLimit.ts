/** Runs at most `running` pieces of work at a time; up to `waiting` more wait for their turn, further ones are refused. */
export class WorkLimit {
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  readonly #refuse: () => Error;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limits: { readonly running: number; readonly waiting: number }, refuse: () => Error) {
    this.#maxRunning = limits.running;
    this.#maxWaiting = limits.waiting;
    this.#refuse = refuse;
  }

  /** @throws what `refuse` makes, at once, when the queue is full. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#maxRunning) this.#running += 1;
    else {
      if (this.#waiting.length >= this.#maxWaiting) throw this.#refuse();
      // Whoever ends hands its place over, so the count stays.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
