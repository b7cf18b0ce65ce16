import { sql, type Transaction } from 'kysely';
import type { AuditEvent, AuditOrigin, AuditTrail } from '../../audit/types.ts';
import { networkOf } from '../../core/network.ts';
import type { Database } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';
import { AuthenticationBusyError, InvalidTokenError, WrongCodeError, WrongCredentialsError } from './errors.ts';
import { type Acquaintance, accountName, loginSubjects, pairSubject, secondFactorSubject } from './loginSubjects.ts';
import { findToken, issueToken, useToken } from './oneTimeTokens.ts';
import type { PasswordHasher } from './passwordHasher.ts';
import { emailKey } from './schemas.ts';
import type { SecondFactors } from './secondFactors.ts';
import { type AuthenticatedSession, loginEvent, type SessionService } from './sessions.ts';
import type { LoginThrottle, ThrottleSubject } from './throttle.ts';
import { findLogin, getUserRow, toUser, type User, type UserRow } from './userQueries.ts';
import { WorkLimit } from './workLimit.ts';

const TICKET_SECONDS = 300;
const TICKET_FAILURES = 5;
const KNOWN_PLACES_LOOKED_AT = 200;
const TICKET = 'The sign-in';
/** A flood of logins must not fill the queue for the database's connections, in which all other requests wait too. */
const LIMITS = { running: 4, waiting: 200 };

interface Parts {
  readonly database: Database;
  readonly hasher: PasswordHasher;
  readonly throttle: LoginThrottle;
  readonly sessions: SessionService;
  readonly secondFactors: SecondFactors;
  readonly audit: AuditTrail;
}

/** Signed in, or on the way: then the ticket has to come back with a code within five minutes. */
export type LoginResult =
  | { readonly secondFactor: false; readonly user: User; readonly session: AuthenticatedSession }
  | { readonly secondFactor: true; readonly ticket: string };

/**
 * Proves people by password, and by a second factor where they have one. Whether there is no such user, the password
 * is wrong or the account is not active: the answer and the work are the same.
 */
export class LoginService {
  readonly #parts: Parts;
  readonly #limit = new WorkLimit(LIMITS, () => new AuthenticationBusyError());

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** @throws WrongCredentialsError, LoginThrottledError, AuthenticationBusyError */
  async login(
    credentials: { readonly email: string; readonly password: string },
    origin: AuditOrigin,
  ): Promise<LoginResult> {
    return await this.#limit.run(() => this.#login(credentials, origin));
  }

  async #login(
    { email, password }: { readonly email: string; readonly password: string },
    origin: AuditOrigin,
  ): Promise<LoginResult> {
    const { database, hasher, throttle, audit } = this.#parts;
    const account = accountName(emailKey(email));
    const network = networkOf(origin.address ?? 'unknown');
    // Before anything else: a flood costs one small query each.
    await throttle.requireFree(loginSubjects(account, network, 'known'));
    const { user, passwordHash } = await findLogin(database.db, email);
    const subjects = loginSubjects(account, network, await this.#acquaintance(user, account, network));
    const matches = await throttle.attempt(subjects, () => hasher.verify(passwordHash, password));
    if (user === null || passwordHash === null || !matches || user.status !== 'active') {
      await audit.record(database.db, failedLogin(user, email, matches ? 'inactive' : 'credentials', origin));
      throw new WrongCredentialsError();
    }
    const newHash = hasher.isOutdated(passwordHash) ? await hasher.hash(password).catch(() => null) : null;
    return await database.transaction(async (tx): Promise<LoginResult> => {
      await throttle.succeed(tx, subjects, [pairSubject(account, network)]);
      // The account may have been frozen, or the password changed, while the password was being checked.
      if ((await getUserRow(tx, user.id, true)).status !== 'active') throw new WrongCredentialsError();
      if (!(await isStillThePassword(tx, user.id, passwordHash, newHash))) throw new WrongCredentialsError();
      if (await this.#parts.secondFactors.isOn(tx, user.id)) {
        await audit.record(tx, {
          actor: { kind: 'anonymous', id: origin.address ?? 'unknown' },
          action: 'login.secondFactorAsked',
          outcome: 'success',
          target: { kind: 'user', id: user.id },
          origin,
        });
        const ticket = await issueToken(tx, { purpose: 'secondFactor', userId: user.id, validSeconds: TICKET_SECONDS });
        return { secondFactor: true, ticket };
      }
      return await this.#begin(tx, user, 'password', origin);
    });
  }

  /**
   * The second step: the ticket of the first one with a code of the app, or a recovery code.
   * @throws InvalidTokenError when the ticket is over, after five wrong codes too; WrongCodeError, LoginThrottledError
   */
  async completeLogin(
    { ticket, code }: { readonly ticket: string; readonly code: string },
    origin: AuditOrigin,
  ): Promise<LoginResult & { secondFactor: false }> {
    const { database, throttle, secondFactors } = this.#parts;
    const found = await findToken(database.db, 'secondFactor', ticket);
    if (found === null || found.userId === null || found.failures >= TICKET_FAILURES)
      throw new InvalidTokenError(TICKET);
    const { userId } = found;
    const subjects: ThrottleSubject[] = [secondFactorSubject(userId)];
    await throttle.begin(subjects);
    const signedIn = await database.transaction(async (tx) => {
      const used = await secondFactors.use(tx, userId, code);
      if (used === null) return null;
      if (!(await useToken(tx, found.id))) throw new InvalidTokenError(TICKET);
      await throttle.succeed(tx, subjects);
      const user = await getUserRow(tx, userId, true);
      if (user.status !== 'active') throw new InvalidTokenError(TICKET);
      return await this.#begin(tx, user, used, origin);
    });
    if (signedIn !== null) return signedIn;
    await this.#countWrongCode(found.id, userId, origin);
    throw new WrongCodeError();
  }

  async #begin(
    tx: Transaction<Schema>,
    user: UserRow,
    method: 'password' | 'totp' | 'recoveryCode',
    origin: AuditOrigin,
  ): Promise<LoginResult & { secondFactor: false }> {
    const session = await this.#parts.sessions.begin(tx, user.id, origin);
    await this.#parts.audit.record(tx, loginEvent(session.principal, method, origin));
    return { secondFactor: false, user: toUser(user), session };
  }

  async #countWrongCode(ticketId: string, userId: string, origin: AuditOrigin): Promise<void> {
    const { database, audit } = this.#parts;
    await database.transaction(async (tx) => {
      await tx.updateTable('one_time_tokens').set({ failures: sql`failures + 1` }).where('id', '=', ticketId).execute();
      await audit.record(tx, {
        actor: { kind: 'anonymous', id: origin.address ?? 'unknown' },
        action: 'login.failed',
        outcome: 'failure',
        target: { kind: 'user', id: userId },
        details: { reason: 'secondFactor' },
        origin,
      });
    });
  }

  async #acquaintance(user: UserRow | null, account: string, network: string): Promise<Acquaintance> {
    // One statement for everybody, so that the time tells nothing about who exists.
    const places = await this.#parts.database.db
      .selectFrom('sessions')
      .select('address')
      .where('user_id', '=', user?.id ?? '')
      .orderBy('id', 'desc')
      .limit(KNOWN_PLACES_LOOKED_AT)
      .execute();
    if (places.some(({ address }) => address !== null && networkOf(address) === network)) return 'known';
    return (await this.#parts.throttle.failures(pairSubject(account, network))) > 0 ? 'failed' : 'new';
  }
}

/** Locks the account's row; puts the hash of today's parameters in place of an outdated one. */
async function isStillThePassword(
  tx: Transaction<Schema>,
  userId: string,
  passwordHash: string,
  newHash: string | null,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('local_accounts')
    .set({ password_hash: newHash ?? passwordHash })
    .where('user_id', '=', userId)
    .where('password_hash', '=', passwordHash)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

function failedLogin(
  user: UserRow | null,
  email: string,
  reason: 'credentials' | 'inactive',
  origin: AuditOrigin,
): AuditEvent {
  return {
    actor: { kind: 'anonymous', id: origin.address ?? 'unknown' },
    action: 'login.failed',
    outcome: 'failure',
    ...(user === null ? {} : { target: { kind: 'user', id: user.id } }),
    details: { reason: user === null ? 'unknownUser' : reason, email },
    origin,
  };
}
