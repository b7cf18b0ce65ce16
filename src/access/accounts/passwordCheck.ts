import { type Kysely, sql, type Transaction } from 'kysely';
import type { AuditOrigin, AuditTrail } from '../../audit/types.ts';
import type { Database } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';
import { WrongPasswordError } from './errors.ts';
import { passwordSubject } from './loginSubjects.ts';
import type { PasswordHasher } from './passwordHasher.ts';
import type { LoginThrottle } from './throttle.ts';

interface Parts {
  readonly database: Database;
  readonly hasher: PasswordHasher;
  readonly throttle: LoginThrottle;
  readonly audit: AuditTrail;
}

/** Asks somebody who is signed in for the password again, before what a stolen session must not do. */
export class PasswordCheck {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * `succeed` belongs into the transaction of what was asked for.
   * @throws WrongPasswordError, LoginThrottledError, AuthenticationBusyError
   */
  async require(
    userId: string,
    password: string,
    origin: AuditOrigin,
  ): Promise<{ succeed(tx: Transaction<Schema>): Promise<void> }> {
    const { database, hasher, throttle, audit } = this.#parts;
    const subjects = [passwordSubject(userId)];
    const passwordHash = await findPasswordHash(database.db, userId);
    if (!(await throttle.attempt(subjects, () => hasher.verify(passwordHash, password)))) {
      await audit.record(database.db, {
        actor: { kind: 'user', id: userId },
        action: 'password.checkFailed',
        outcome: 'failure',
        target: { kind: 'user', id: userId },
        origin,
      });
      throw new WrongPasswordError();
    }
    return { succeed: (tx) => throttle.succeed(tx, subjects) };
  }
}

async function findPasswordHash(db: Kysely<Schema>, userId: string): Promise<string | null> {
  const row = await db
    .selectFrom('local_accounts')
    .select('password_hash')
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return row?.password_hash ?? null;
}

export async function savePasswordHash(tx: Transaction<Schema>, userId: string, passwordHash: string): Promise<void> {
  await tx
    .insertInto('local_accounts')
    .values({ user_id: userId, password_hash: passwordHash })
    .onConflict((conflict) =>
      conflict.column('user_id').doUpdateSet({ password_hash: passwordHash, password_changed_at: sql`now()` }),
    )
    .execute();
}
