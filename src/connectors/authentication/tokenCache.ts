import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../core/clock.ts';

/** A token that the provider issued to us. */
export interface IssuedToken {
  readonly token: string;
  readonly refreshToken?: string;
  /** Epoch milliseconds; undefined when the provider does not say: it is then used until it is refused. */
  readonly expiresAtMs?: number;
}

interface Entry {
  readonly issued: IssuedToken;
  readonly obtainedAtMs: number;
}

/** A token is replaced this long before it expires, or after 90 % of its life when that is later. */
const EXPIRY_MARGIN_MS = 60_000;
/** A token refused this soon after it was issued would be refused again when issued anew. */
const FRESH_MS = 10_000;
const TOKEN_DEADLINE_MS = 30_000;
const MAX_TOKENS = 10_000;

/**
 * Issued tokens, in memory, by a hash of what they were issued for. However many calls need a token at once, it is
 * asked for once.
 */
export class TokenCache {
  readonly #entries = new LRUCache<string, Entry>({ max: MAX_TOKENS });
  readonly #pending = new Map<string, Promise<IssuedToken>>();

  /**
   * @param obtain gets its own deadline instead of the caller's signal: others may wait for the same token
   */
  async get(
    key: string,
    clock: Pick<Clock, 'now'>,
    signal: AbortSignal,
    obtain: (signal: AbortSignal) => Promise<IssuedToken>,
  ): Promise<IssuedToken> {
    const entry = this.#entries.get(key);
    if (entry !== undefined && !isStale(entry, clock.now())) return entry.issued;
    let pending = this.#pending.get(key);
    if (pending === undefined) {
      pending = obtain(AbortSignal.timeout(TOKEN_DEADLINE_MS))
        .then((issued) => {
          this.#entries.set(key, { issued, obtainedAtMs: clock.now() });
          return issued;
        })
        .finally(() => this.#pending.delete(key));
      this.#pending.set(key, pending);
    }
    return unlessAborted(pending, signal);
  }

  /** Forgets a token that was refused. False when it was new: another one would fare no better. */
  refused(key: string, token: string, clock: Pick<Clock, 'now'>): boolean {
    const entry = this.#entries.get(key);
    // Somebody else has replaced it already.
    if (entry === undefined || entry.issued.token !== token) return true;
    this.#entries.delete(key);
    return clock.now() - entry.obtainedAtMs > FRESH_MS;
  }

  /** Takes the token out, for giving it back to the provider. */
  take(key: string): IssuedToken | undefined {
    const entry = this.#entries.get(key);
    this.#entries.delete(key);
    return entry?.issued;
  }
}

/** Every part counts: another credential, mode or address is another token. */
export function tokenKey(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}

function isStale({ issued: { expiresAtMs }, obtainedAtMs }: Entry, nowMs: number): boolean {
  if (expiresAtMs === undefined) return false;
  const lifeMs = expiresAtMs - obtainedAtMs;
  return nowMs >= Math.max(expiresAtMs - EXPIRY_MARGIN_MS, obtainedAtMs + lifeMs * 0.9);
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
