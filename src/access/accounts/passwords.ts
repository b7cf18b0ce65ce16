import { type Kysely, sql, type Transaction } from 'kysely';
import type { AuditActor, AuditOrigin, AuditTrail } from '../../audit/types.ts';
import { newId } from '../../core/ids.ts';
import type { Jobs } from '../../jobs/jobs.ts';
import type { Database } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';
import { auditActor } from '../decisions/actor.ts';
import { UserNotFoundError } from '../decisions/errors.ts';
import type { Principal } from '../types.ts';
import { passwordResetEmail } from './emails.ts';
import { EmailNotConfiguredError, InvalidTokenError } from './errors.ts';
import { accountName, linkSubject } from './loginSubjects.ts';
import type { Mailer } from './mailer.ts';
import { findToken, issueToken, useToken, voidTokens } from './oneTimeTokens.ts';
import { type PasswordCheck, savePasswordHash } from './passwordCheck.ts';
import type { PasswordHasher } from './passwordHasher.ts';
import type { PasswordStrength } from './passwordStrength.ts';
import { emailKey } from './schemas.ts';
import { endSessions } from './sessionQueries.ts';
import type { SessionService, UserPrincipal } from './sessions.ts';
import type { LoginThrottle } from './throttle.ts';
import { findUserByEmail, getUserRow } from './userQueries.ts';

const JOB = 'accounts.sendPasswordReset';
const VALID_HOURS = 1;
/** A person is sent one e-mail in this time, however often somebody asks. */
const AGAIN_AFTER_SECONDS = 300;
/** With growing waits up to ten minutes: a mail server may be away for half an hour. */
const RETRY_LIMIT = 12;
const DEADLINE_SECONDS = 60;
const LINK = 'The link';

interface Parts {
  readonly database: Database;
  readonly hasher: PasswordHasher;
  readonly strength: PasswordStrength;
  readonly check: PasswordCheck;
  readonly sessions: SessionService;
  readonly throttle: LoginThrottle;
  readonly audit: AuditTrail;
  readonly jobs: Jobs;
  readonly mailer: Mailer | null;
  readonly publicUrl: string;
}

interface ResetJob {
  readonly tokenId: string;
  readonly email: string;
}

/** Changes of passwords: by their owner, or through a one-time link. All other sessions end with them. */
export class Passwords {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
    // The token is made where it is sent: no queue and no table ever holds it.
    parts.jobs.define<ResetJob>(JOB, (job) => this.#sendReset(job), {
      retryLimit: RETRY_LIMIT,
      deadlineSeconds: DEADLINE_SECONDS,
    });
  }

  /** @throws WrongPasswordError, InvalidInputError for a weak one, LoginThrottledError, AuthenticationBusyError */
  async change(
    principal: UserPrincipal,
    input: { readonly presentPassword: string; readonly password: string },
    origin: AuditOrigin,
  ): Promise<void> {
    const { database, check, sessions } = this.#parts;
    const user = await getUserRow(database.db, principal.userId);
    const checked = await check.require(user.id, input.presentPassword, origin);
    const passwordHash = await this.#hashStrong(input.password, user);
    await database.transaction(async (tx) => {
      await checked.succeed(tx);
      await this.#set(tx, user.id, passwordHash, principal.sessionId);
      await this.#record(tx, { kind: 'user', id: user.id }, 'password.changed', user.id, origin);
    });
    sessions.forget();
  }

  /**
   * Has a link sent to the address, if somebody active has it. What happens here is the same whether or not.
   * @throws EmailNotConfiguredError, LoginThrottledError
   */
  async requestReset(email: string, origin: AuditOrigin): Promise<void> {
    const { mailer, throttle, jobs } = this.#parts;
    if (mailer === null) throw new EmailNotConfiguredError();
    await throttle.begin([linkSubject(origin.address)]);
    const job: ResetJob = { tokenId: newId('oneTimeToken'), email };
    await jobs.enqueue(JOB, job, { singletonKey: accountName(emailKey(email)) });
  }

  /** A link for a user, for whoever has the command line. @throws UserNotFoundError */
  async makeResetLink(actor: Principal, email: string, origin: AuditOrigin = {}): Promise<string> {
    return await this.#parts.database.transaction(async (tx) => {
      const user = await findUserByEmail(tx, email);
      if (user === null || user.status === 'deactivated') throw new UserNotFoundError(email);
      await this.#record(tx, auditActor(actor), 'password.resetLinkMade', user.id, origin);
      return this.#link(await issueResetToken(tx, user.id));
    });
  }

  /** @throws InvalidTokenError, InvalidInputError for a weak password, AuthenticationBusyError */
  async completeReset(
    { token, password }: { readonly token: string; readonly password: string },
    origin: AuditOrigin,
  ): Promise<void> {
    const { database, sessions, throttle } = this.#parts;
    const found = await findToken(database.db, 'passwordReset', token);
    if (found === null || found.userId === null) {
      await throttle.begin([linkSubject(origin.address)]);
      throw new InvalidTokenError(LINK);
    }
    const user = await getUserRow(database.db, found.userId);
    const passwordHash = await this.#hashStrong(password, user);
    await database.transaction(async (tx) => {
      if (!(await useToken(tx, found.id))) throw new InvalidTokenError(LINK);
      const { status } = await getUserRow(tx, user.id, true);
      if (status === 'deactivated') throw new InvalidTokenError(LINK);
      await this.#set(tx, user.id, passwordHash);
      await this.#record(tx, { kind: 'user', id: user.id }, 'password.reset', user.id, origin);
    });
    sessions.forget();
  }

  async #hashStrong(password: string, user: { readonly email: string; readonly name: string }): Promise<string> {
    await this.#parts.strength.require(password, [user.email, user.name]);
    return await this.#parts.hasher.hash(password);
  }

  async #set(tx: Transaction<Schema>, userId: string, passwordHash: string, keepSessionId?: string): Promise<void> {
    await savePasswordHash(tx, userId, passwordHash);
    await voidTokens(tx, userId);
    await endSessions(tx, userId, { except: keepSessionId });
  }

  async #sendReset({ tokenId, email }: ResetJob): Promise<void> {
    const { database, mailer, audit } = this.#parts;
    const user = await findUserByEmail(database.db, email);
    if (user === null || user.status === 'deactivated') return;
    if (await wasSentRecently(database.db, user.id, tokenId)) return;
    if (mailer === null) throw new EmailNotConfiguredError();
    const token = await database.transaction(async (tx) => {
      await audit.record(tx, {
        actor: { kind: 'system', id: JOB },
        action: 'password.resetRequested',
        outcome: 'success',
        target: { kind: 'user', id: user.id },
      });
      return await issueResetToken(tx, user.id, tokenId);
    });
    await mailer.send(passwordResetEmail(user.email, this.#link(token), VALID_HOURS));
  }

  #link(token: string): string {
    return `${this.#parts.publicUrl}/reset-password#${token}`;
  }

  async #record(
    tx: Transaction<Schema>,
    actor: AuditActor,
    action: string,
    userId: string,
    origin: AuditOrigin,
  ): Promise<void> {
    const target = { kind: 'user', id: userId };
    await this.#parts.audit.record(tx, { actor, action, outcome: 'success', target, origin });
  }
}

/** The newest one counts. */
async function issueResetToken(tx: Transaction<Schema>, userId: string, id?: string): Promise<string> {
  await tx
    .updateTable('one_time_tokens')
    .set({ expires_at: sql`now()` })
    .where('user_id', '=', userId)
    .where('purpose', '=', 'passwordReset')
    .where('expires_at', '>', sql<Date>`now()`)
    .execute();
  return await issueToken(tx, { purpose: 'passwordReset', userId, validSeconds: VALID_HOURS * 3_600, id });
}

async function wasSentRecently(db: Kysely<Schema>, userId: string, exceptTokenId: string): Promise<boolean> {
  const row = await db
    .selectFrom('one_time_tokens')
    .select('id')
    .where('user_id', '=', userId)
    .where('purpose', '=', 'passwordReset')
    .where('id', '!=', exceptTokenId)
    .where('created_at', '>', sql<Date>`now() - make_interval(secs => ${AGAIN_AFTER_SECONDS})`)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
