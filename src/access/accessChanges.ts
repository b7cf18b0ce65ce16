/** The number in `access_version` as this process last read it, within a second of every change. */
export interface AccessVersion {
  version(): number;
}

/**
 * Tells the parts of this process of a change that it made itself, so that here it counts at once. Other processes
 * see the version rise.
 */
export class AccessChanges {
  readonly #listeners = new Set<() => void>();

  /** @returns ends the subscription */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** To be called after the commit. */
  announce(): void {
    for (const listener of this.#listeners) listener();
  }
}
