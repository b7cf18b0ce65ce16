/** Tells waiters in this process that a run moved, so that they need not poll for it. */
export class RunWatch {
  readonly #waiting = new Map<string, Set<() => void>>();

  notify(runId: string): void {
    for (const wake of this.#waiting.get(runId) ?? []) wake();
  }

  /** Calls `wake` at every notification until the returned function is called. */
  subscribe(runId: string, wake: () => void): () => void {
    const wakers = this.#waiting.get(runId) ?? new Set();
    this.#waiting.set(runId, wakers.add(wake));
    return () => {
      wakers.delete(wake);
      if (wakers.size === 0 && this.#waiting.get(runId) === wakers) this.#waiting.delete(runId);
    };
  }
}
