/** The number in `access_version` as this process last read it, within a second of every change. */
export interface AccessVersion {
  version(): number;
}

/**
 * Tells the parts of this process of a change that it made itself, so that here it counts before it is acknowledged.
 * Other processes see the version rise.
 */
export class AccessSignal {
  readonly #listeners = new Set<() => void | Promise<void>>();

  /** @returns ends the subscription */
  subscribe(listener: () => void | Promise<void>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** To be called after the commit; resolves when everybody has taken the change in. */
  async announce(): Promise<void> {
    await Promise.all([...this.#listeners].map((listener) => listener()));
  }
}
