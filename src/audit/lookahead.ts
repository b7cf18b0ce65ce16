/** Reads items one by one, and lets one look at those to come. */
export class Lookahead<T> {
  readonly #source: AsyncIterator<T>;
  readonly #ahead: T[] = [];

  constructor(source: AsyncIterable<T>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next item; undefined at the end. */
  async peek(): Promise<T | undefined> {
    return (await this.window(1))[0];
  }

  /** The next items, at most so many. */
  async window(count: number): Promise<readonly T[]> {
    while (this.#ahead.length < count) {
      const next = await this.#source.next();
      if (next.done === true) break;
      this.#ahead.push(next.value);
    }
    return this.#ahead.slice(0, count);
  }

  /** Goes on after the next item. */
  skip(): void {
    this.#ahead.shift();
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
