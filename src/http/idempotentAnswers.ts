import { sql } from 'kysely';
import { newIdName } from '../core/ids.ts';
import { LIMITS } from '../core/limits.ts';
import type { CredentialStore } from '../credentials/credentialStore.ts';
import { CredentialsUnreadableError } from '../credentials/errors.ts';
import type { Database } from '../store/database.ts';
import { IdempotencyKeyInFlightError, IdempotencyKeyReusedError, IdempotentAnswerLostError } from './errors.ts';

/** Longer than any request takes, so that only a crash leaves a lock to expire. */
const LOCK_SECONDS = 120;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Names the request that may answer under a key: written with the lock, asked for by every later write. */
export interface Claim {
  readonly scope: string;
  readonly key: string;
  readonly lockedUntil: Date;
  /** The same for every try of one request: what it makes is called so, and is found when it was made already. */
  readonly resourceName: string;
}

interface StoredAnswer {
  readonly status: number;
  /** Null when the answer was larger than is kept. */
  readonly envelope: unknown;
}

/**
 * Answers to requests with an Idempotency-Key, kept for 24 hours (jobs/maintenance deletes them). They are sealed
 * like credentials, because an answer may hold a secret that is shown once.
 */
export class IdempotentAnswers {
  readonly #database: Database;
  readonly #credentials: CredentialStore;

  constructor(database: Database, credentials: CredentialStore) {
    this.#database = database;
    this.#credentials = credentials;
  }

  /**
   * Takes the key for this request, or gives the answer that was kept for it.
   * A request that died without an answer holds the key until its lock expires.
   * @throws IdempotencyKeyReusedError, IdempotencyKeyInFlightError, IdempotentAnswerLostError
   */
  async claim(scope: string, key: string, requestHash: Buffer): Promise<Claim | Answer> {
    // Whole milliseconds, because that is what a Date brings back of them.
    const { rows } = await sql<{ locked_until: Date; resource_name: string }>`
      insert into idempotency_keys as stored (scope, key, request_hash, resource_name, locked_until)
      values (${scope}, ${key}, ${requestHash}, ${newIdName()},
              date_trunc('milliseconds', now() + make_interval(secs => ${LOCK_SECONDS})))
      on conflict (scope, key) do update
        set request_hash = excluded.request_hash, response = null,
            locked_until = excluded.locked_until, created_at = now(),
            resource_name = case when stored.request_hash = excluded.request_hash and stored.response is null
                                 then stored.resource_name else excluded.resource_name end
        where stored.created_at < now() - interval '24 hours'
           or (stored.response is null and stored.locked_until < now() and stored.request_hash = excluded.request_hash)
      returning locked_until, resource_name`.execute(this.#database.db);
    const taken = rows[0];
    if (taken === undefined) return this.#kept(scope, key, requestHash);
    return { scope, key, lockedUntil: taken.locked_until, resourceName: taken.resource_name };
  }

  /** Keeps the answer, unless the lock expired meanwhile and somebody else took the key. */
  async keep({ scope, key, lockedUntil }: Claim, answer: Answer): Promise<void> {
    const tooLarge = Buffer.byteLength(JSON.stringify(answer)) > LIMITS.credentialsBytes;
    const response: StoredAnswer = {
      status: answer.status,
      envelope: tooLarge ? null : (await this.#credentials.seal(sealContext(scope, key), answer)).envelope,
    };
    await sql`
      update idempotency_keys set response = ${JSON.stringify(response)}::jsonb
      where scope = ${scope} and key = ${key} and locked_until = ${lockedUntil} and response is null
    `.execute(this.#database.db);
  }

  /** Gives the key back: nothing final came of the request. */
  async release({ scope, key, lockedUntil }: Claim): Promise<void> {
    await sql`
      delete from idempotency_keys
      where scope = ${scope} and key = ${key} and locked_until = ${lockedUntil} and response is null
    `.execute(this.#database.db);
  }

  async #kept(scope: string, key: string, requestHash: Buffer): Promise<Answer> {
    const row = await this.#database.db
      .selectFrom('idempotency_keys')
      .select(['request_hash', 'response'])
      .where('scope', '=', scope)
      .where('key', '=', key)
      .executeTakeFirst();
    // No row: the first request failed and gave the key back this very moment.
    if (row === undefined) throw new IdempotencyKeyInFlightError();
    if (!row.request_hash.equals(requestHash)) throw new IdempotencyKeyReusedError();
    if (row.response === null) throw new IdempotencyKeyInFlightError();
    const { status, envelope } = row.response as StoredAnswer;
    try {
      if (envelope !== null) return (await this.#credentials.open(sealContext(scope, key), envelope)) as Answer;
    } catch (error) {
      // Sealed with an installation key that was rotated away since.
      if (!(error instanceof CredentialsUnreadableError)) throw error;
    }
    throw new IdempotentAnswerLostError(status);
  }
}

function sealContext(scope: string, key: string) {
  return { owner: scope, integrationId: 'idempotency', field: key };
}
