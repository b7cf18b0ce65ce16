import type { IntegrationLog } from '../types.ts';

/** More than this waits for nobody: the tail stops until it was taken. */
const MAX_WAITING = 10_000;

/** Records on their way from the tail to one reader in this process, who holds the tail up when slow. */
export class Coming {
  #waiting: IntegrationLog[] = [];
  #arrived = Promise.withResolvers<void>();
  #taken = Promise.withResolvers<void>();
  #closed = false;

  /** Resolves when there is room for more. */
  async add(logs: readonly IntegrationLog[]): Promise<void> {
    if (this.#closed) return;
    this.#waiting.push(...logs);
    this.#arrived.resolve();
    if (this.#waiting.length > MAX_WAITING) await this.#taken.promise;
  }

  /** What came, at least one record. @throws the signal's reason */
  async next(signal: AbortSignal): Promise<readonly IntegrationLog[]> {
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      signal.throwIfAborted();
      if (this.#waiting.length === 0) await Promise.race([this.#arrived.promise, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
    const logs = this.#waiting;
    this.#waiting = [];
    this.#arrived = Promise.withResolvers();
    this.#taken.resolve();
    this.#taken = Promise.withResolvers();
    return logs;
  }

  /** Nothing more is taken, and nobody waits for it. */
  close(): void {
    this.#closed = true;
    this.#taken.resolve();
  }
}
