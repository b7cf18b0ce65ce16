import type { EncodedEvent } from './event.ts';

/** Of one statement. */
const MAX_ROWS = 500;

interface Waiting {
  readonly events: readonly EncodedEvent[];
  readonly done: PromiseWithResolvers<void>;
}

/**
 * Lets events that are recorded at the same time, each by itself, share a statement and its commit: whatever comes
 * while one is under way goes with the next. Nobody is told before the commit, and a lone event waits for nothing.
 */
export class GroupedInserts {
  readonly #insert: (events: readonly EncodedEvent[]) => Promise<void>;
  #waiting: Waiting[] = [];
  #busy = false;

  constructor(insert: (events: readonly EncodedEvent[]) => Promise<void>) {
    this.#insert = insert;
  }

  /** Resolves once they are committed. Rejects when the statement that they were in failed. */
  add(events: readonly EncodedEvent[]): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ events, done });
    if (!this.#busy) void this.#run();
    return done.promise;
  }

  async #run(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      const group = this.#take();
      try {
        await this.#insert(group.flatMap(({ events }) => events));
        for (const { done } of group) done.resolve();
      } catch (error) {
        for (const { done } of group) done.reject(error);
      }
    }
    this.#busy = false;
  }

  #take(): Waiting[] {
    let rows = 0;
    const upTo = this.#waiting.findIndex(({ events }, index) => {
      rows += events.length;
      return rows > MAX_ROWS && index > 0;
    });
    return this.#waiting.splice(0, upTo === -1 ? this.#waiting.length : upTo);
  }
}
