import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import type { Database } from '../../store/database.ts';
import type { AccessSignal, AccessVersion } from '../accessSignal.ts';
import type { Authentication } from '../authentication.ts';
import type { KeyScopes } from '../types.ts';
import { VersionedCache } from '../versionedCache.ts';
import { endOf, scopesOf } from './apiKeyQueries.ts';
import { parseKey } from './keyFormat.ts';
import type { LastUses } from './lastUses.ts';

const MAX_CACHED = 10_000;

interface Dependencies {
  readonly database: Database;
  readonly version: AccessVersion;
  readonly signal: AccessSignal;
  readonly lastUses: LastUses;
  readonly clock: Clock;
}

interface StoredKey {
  readonly userId: string;
  readonly secretHash: Buffer;
  readonly scopes: KeyScopes;
  readonly status: 'active' | 'frozen' | 'revoked';
  readonly userStatus: 'active' | 'frozen' | 'deactivated';
  readonly end: Date | null;
}

/** Tells whose API key it is. What was read of a key is remembered until access changes. */
export class ApiKeyAuthenticator {
  readonly #deps: Dependencies;
  readonly #cache: VersionedCache<StoredKey>;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#cache = new VersionedCache({ max: MAX_CACHED, version: deps.version, signal: deps.signal });
  }

  /**
   * Null for what is no key of ours, mistyped, unknown or of another secret. Why a real key does not work is told:
   * whoever sends it has the secret.
   */
  async authenticate(text: string): Promise<Authentication | null> {
    const presented = parseKey(text);
    if (presented === null) return null;
    const stored = await this.#cache.get(presented.id, () => this.#read(presented.id));
    if (stored === null || !timingSafeEqual(stored.secretHash, presented.secretHash)) return null;
    const { id } = presented;
    const nowMs = this.#deps.clock.now();
    if (stored.status !== 'active') return { refused: `API key ${id} is ${stored.status}.` };
    if (stored.userStatus !== 'active') return { refused: `The user of API key ${id} is ${stored.userStatus}.` };
    if (stored.end !== null && stored.end.getTime() <= nowMs)
      return { refused: `API key ${id} stopped working on ${stored.end.toISOString()}. Make or take a new one.` };
    this.#deps.lastUses.note(id, nowMs);
    return { principal: { kind: 'apiKey', userId: stored.userId, apiKeyId: id, scopes: stored.scopes } };
  }

  async #read(id: string): Promise<StoredKey | null> {
    const row = await this.#deps.database.db
      .selectFrom('api_keys as k')
      .innerJoin('users as u', 'u.id', 'k.user_id')
      .selectAll('k')
      .select('u.status as user_status')
      .where('k.id', '=', id)
      .executeTakeFirst();
    if (row === undefined) return null;
    return {
      userId: row.user_id,
      secretHash: row.secret_hash,
      scopes: scopesOf(row),
      status: row.status,
      userStatus: row.user_status,
      end: endOf(row),
    };
  }
}
