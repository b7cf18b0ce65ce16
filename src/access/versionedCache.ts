import { LRUCache } from 'lru-cache';
import type { AccessSignal, AccessVersion } from './accessSignal.ts';

/**
 * Remembers what was read of the access tables until anything in them changes. Bounded; what nothing was found for is
 * not remembered. Callers that ask for one thing at the same time share one reading.
 */
export class VersionedCache<V extends object> {
  readonly #version: AccessVersion;
  readonly #entries: LRUCache<string, Promise<V | null>>;
  #readAt: number;
  /** Raised with every change, so that a reading that began before one is not kept after it. */
  #epoch = 0;

  constructor(options: { max: number; version: AccessVersion; signal: AccessSignal }) {
    this.#version = options.version;
    this.#entries = new LRUCache({ max: options.max });
    this.#readAt = this.#version.version();
    options.signal.subscribe(() => this.#forget());
  }

  async get(key: string, load: () => Promise<V | null>): Promise<V | null> {
    this.#follow();
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const epoch = this.#epoch;
    const loading = load();
    this.#entries.set(key, loading);
    const drop = (): void => {
      if (this.#entries.peek(key) === loading) this.#entries.delete(key);
    };
    try {
      const value = await loading;
      this.#follow();
      if (value === null || epoch !== this.#epoch) drop();
      return value;
    } catch (error) {
      drop();
      throw error;
    }
  }

  #follow(): void {
    const version = this.#version.version();
    if (version === this.#readAt) return;
    this.#readAt = version;
    this.#forget();
  }

  #forget(): void {
    this.#epoch++;
    this.#entries.clear();
  }
}
