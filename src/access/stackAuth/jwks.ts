import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import type { Clock } from '../../core/clock.ts';
import { errorMessage, UnavailableError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';

/** After it the keys are fetched anew, beside the requests that are verified with those at hand. */
const FRESH_MS = 10 * 60_000;
/** Keys that could not be fetched anew for so long are no longer believed in. */
const STALE_MS = 24 * 3_600_000;
/** Between two fetches, whatever the reason and however they end: unknown key ids cost the issuer no more than this. */
const COOLDOWN_MS = 30_000;
const DEADLINE_MS = 3_000;
const MAX_KEYS = 50;

const jwksSchema = z.object({
  keys: z
    .array(z.looseObject({ kty: z.string(), kid: z.string().optional(), crv: z.string().optional() }))
    .max(MAX_KEYS),
});

interface Options {
  readonly url: string;
  /** Guarded, and limited in what it takes. */
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly log: Log;
}

interface UsableKeys {
  readonly find: JWTVerifyGetKey;
  readonly ids: ReadonlySet<string>;
}

interface Loaded extends UsableKeys {
  readonly atMs: number;
}

/** The public keys of one issuer. Never asks anybody else, whatever a token names. */
export class Jwks {
  readonly #options: Options;
  #loaded: Loaded | null = null;
  #fetching: Promise<void> | null = null;
  #fetchedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: Options) {
    this.#options = options;
  }

  /**
   * The issuer's keys, which had the chance to be fetched anew when this id is not among them.
   * @throws UnavailableError there are none, because they cannot be fetched
   */
  async keysFor(keyId: string): Promise<JWTVerifyGetKey> {
    const nowMs = this.#options.clock.monotonicMs();
    const ageMs = this.#loaded === null ? Number.POSITIVE_INFINITY : nowMs - this.#loaded.atMs;
    if (ageMs > STALE_MS || !this.#loaded?.ids.has(keyId)) await this.#refresh();
    // With the keys at hand nobody waits.
    else if (ageMs > FRESH_MS) void this.#refresh();
    const loaded = this.#loaded;
    if (loaded === null || this.#options.clock.monotonicMs() - loaded.atMs > STALE_MS)
      throw new UnavailableError(
        'The keys of Stack Auth cannot be fetched, so its tokens cannot be checked. Try again.',
        {
          details: { retryAfterMs: COOLDOWN_MS },
        },
      );
    return loaded.find;
  }

  /** Once for all who wait, and not again within the cooldown. Never throws. */
  async #refresh(): Promise<void> {
    if (this.#fetching !== null) return this.#fetching;
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#fetchedAtMs < COOLDOWN_MS) return;
    this.#fetchedAtMs = nowMs;
    this.#fetching = this.#fetch().finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  async #fetch(): Promise<void> {
    const { url, fetch, clock, log } = this.#options;
    try {
      const response = await fetch(url, {
        redirect: 'error',
        headers: { accept: 'application/json' },
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
      if (response.status !== 200) throw new Error(`answered ${response.status}`);
      const { keys } = jwksSchema.parse(await response.json());
      this.#loaded = { ...usableKeys(keys), atMs: clock.monotonicMs() };
    } catch (error) {
      log.warn('The keys of Stack Auth could not be fetched', { url, reason: errorMessage(error) });
    }
  }
}

/** Those of the only kind that anything is checked with here; a key of another kind is none. */
export function usableKeys(
  keys: readonly { readonly kty: string; readonly kid?: string; readonly crv?: string }[],
): UsableKeys {
  const usable = keys.filter((key) => key.kty === 'EC' && key.crv === 'P-256' && key.kid !== undefined);
  return { find: createLocalJWKSet({ keys: usable } as JSONWebKeySet), ids: new Set(usable.map((key) => key.kid!)) };
}
