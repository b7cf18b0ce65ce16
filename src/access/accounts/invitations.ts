import { sql, type Transaction } from 'kysely';
import type { AuditOrigin, AuditTrail } from '../../audit/types.ts';
import { isId, newId } from '../../core/ids.ts';
import { parseInput } from '../../core/input.ts';
import type { Jobs } from '../../jobs/jobs.ts';
import type { Database } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';
import { asUser } from '../decider.ts';
import { auditActor } from '../decisions/actor.ts';
import type { Principal } from '../types.ts';
import { invitationEmail } from './emails.ts';
import { EmailNotConfiguredError, EmailTakenError, InvalidTokenError, InvitationNotFoundError } from './errors.ts';
import { linkSubject } from './loginSubjects.ts';
import type { Mailer } from './mailer.ts';
import { savePasswordHash } from './passwordCheck.ts';
import type { PasswordHasher } from './passwordHasher.ts';
import type { PasswordStrength } from './passwordStrength.ts';
import { type RoleRule, requireMayAssign, requireMayManage } from './roleRule.ts';
import { emailKey, newUserSchema } from './schemas.ts';
import { hashToken, newSecretToken } from './secretTokens.ts';
import { type AuthenticatedSession, loginEvent, type SessionService } from './sessions.ts';
import type { LoginThrottle } from './throttle.ts';
import { findUserByEmail, insertUser, toUser, type User } from './userQueries.ts';

const JOB = 'accounts.sendInvitation';
const VALID_DAYS = 7;
const MAX_LISTED = 1_000;
/** With growing waits up to ten minutes: a mail server may be away for some hours. */
const RETRY_LIMIT = 30;
const DEADLINE_SECONDS = 60;
const INVITATION = 'The invitation';

interface Parts {
  readonly database: Database;
  readonly hasher: PasswordHasher;
  readonly strength: PasswordStrength;
  readonly sessions: SessionService;
  readonly throttle: LoginThrottle;
  readonly roles: RoleRule;
  readonly audit: AuditTrail;
  readonly jobs: Jobs;
  readonly mailer: Mailer | null;
  readonly publicUrl: string;
}

export interface Invitation {
  readonly id: string;
  readonly email: string;
  readonly role: string;
  readonly invitedBy: string;
  readonly createdAt: string;
  readonly expiresAt: string;
}

/** Asks people in: whoever has the link chooses a name and a password and has the role of the invitation. */
export class Invitations {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
    parts.jobs.define<{ invitationId: string }>(JOB, ({ invitationId }) => this.#send(invitationId), {
      retryLimit: RETRY_LIMIT,
      deadlineSeconds: DEADLINE_SECONDS,
    });
  }

  /**
   * Invites an address, in place of an open invitation it has. With a mail server the link is sent, and nobody else
   * sees it (`link` null); without one it is handed to who invites, this once.
   * @throws EmailTakenError, RoleAboveOwnError
   */
  async invite(
    actor: Principal,
    input: { readonly email: string; readonly role: string },
    origin: AuditOrigin,
  ): Promise<{ invitation: Invitation; link: string | null }> {
    const { email, role } = parseInput(newUserSchema.omit({ name: true }), input, 'The invitation');
    const { database, roles, audit, mailer, jobs } = this.#parts;
    await requireMayAssign(roles, actor, role);
    const id = newId('invitation');
    const token = mailer === null ? newSecretToken() : null;
    const row = await database.transaction(async (tx) => {
      if ((await findUserByEmail(tx, email)) !== null) throw new EmailTakenError();
      await tx
        .deleteFrom('invitations')
        .where((eb) => eb(eb.fn('lower', ['email']), '=', emailKey(email)))
        .execute();
      const inserted = await tx
        .insertInto('invitations')
        .values({
          id,
          email,
          role,
          token_hash: token === null ? null : hashToken(token),
          invited_by: auditActor(actor).id,
          expires_at: sql`now() + make_interval(days => ${VALID_DAYS})`,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      await audit.record(tx, {
        actor: auditActor(actor),
        action: 'invitation.created',
        outcome: 'success',
        target: { kind: 'invitation', id },
        after: { email, role },
        origin,
      });
      if (token === null) await jobs.enqueue(JOB, { invitationId: id }, { tx, singletonKey: id });
      return inserted;
    });
    return { invitation: toInvitation(row), link: token === null ? null : this.#link(token) };
  }

  /** Those that are open, the newest first; at most 1,000. */
  async list(): Promise<Invitation[]> {
    const rows = await this.#parts.database.db
      .selectFrom('invitations')
      .selectAll()
      .where('expires_at', '>', sql<Date>`now()`)
      .orderBy('id', 'desc')
      .limit(MAX_LISTED)
      .execute();
    return rows.map(toInvitation);
  }

  /** @throws InvitationNotFoundError, RoleAboveOwnError */
  async withdraw(actor: Principal, invitationId: string, origin: AuditOrigin): Promise<void> {
    const { database, roles, audit } = this.#parts;
    const row = await database.db
      .selectFrom('invitations')
      .select(['email', 'role'])
      .where('id', '=', invitationId)
      .executeTakeFirst();
    if (row === undefined) throw new InvitationNotFoundError(invitationId);
    await requireMayManage(roles, actor, { id: null, role: row.role });
    await database.transaction(async (tx) => {
      if (!(await takeInvitation(tx, invitationId))) throw new InvitationNotFoundError(invitationId);
      await audit.record(tx, {
        actor: auditActor(actor),
        action: 'invitation.withdrawn',
        outcome: 'success',
        target: { kind: 'invitation', id: invitationId },
        before: { email: row.email, role: row.role },
        origin,
      });
    });
  }

  /**
   * Makes the user and signs them in, if whoever invited them may still give the role.
   * @throws InvalidTokenError, EmailTakenError, InvalidInputError for a weak password, AuthenticationBusyError
   */
  async accept(
    input: { readonly token: string; readonly name: string; readonly password: string },
    origin: AuditOrigin,
  ): Promise<{ user: User; session: AuthenticatedSession }> {
    const { database, hasher, strength, sessions, roles, audit } = this.#parts;
    const { name } = parseInput(newUserSchema.pick({ name: true }), input, 'The user');
    const invitation = await this.#requireOpen(input.token, origin);
    await strength.require(input.password, [invitation.email, name]);
    const passwordHash = await hasher.hash(input.password);
    await this.#requireStillGiven(invitation);
    const made = await database.transaction(async (tx) => {
      // Whoever comes second waits here, and then finds it gone.
      if (!(await takeInvitation(tx, invitation.id))) throw new InvalidTokenError(INVITATION);
      const { email, role } = invitation;
      const row = await insertUser(tx, { email, role, name });
      await savePasswordHash(tx, row.id, passwordHash);
      const session = await sessions.begin(tx, row.id, origin);
      await audit.record(tx, {
        actor: { kind: 'user', id: row.id },
        action: 'user.created',
        outcome: 'success',
        target: { kind: 'user', id: row.id },
        after: { email, name, role },
        details: { by: 'invitation', invitationId: invitation.id, invitedBy: invitation.invited_by },
        origin,
      });
      await audit.record(tx, loginEvent(session.principal, 'invitation', origin));
      return { user: toUser(row), session };
    });
    await roles.changed();
    return made;
  }

  /**
   * Whoever invited may still give the role: an account or key that was frozen, or may do less now, has no door left
   * open. Before the transaction, because the rule may ask the database for itself.
   */
  async #requireStillGiven({ invited_by: maker, role }: { invited_by: string; role: string }): Promise<void> {
    const { database, roles } = this.#parts;
    const key = await database.db
      .selectFrom('api_keys')
      .select(['user_id', 'status'])
      .where('id', '=', maker)
      .executeTakeFirst();
    const userId = key?.user_id ?? maker;
    // The installation itself has no account.
    if (!isId('user', userId)) return;
    const isStopped = key !== undefined && key.status !== 'active';
    if (isStopped || !(await roles.mayAssignRole(asUser(userId), role)).allowed)
      throw new InvalidTokenError(INVITATION);
  }

  async #requireOpen(token: string, origin: AuditOrigin) {
    const row = await this.#parts.database.db
      .selectFrom('invitations')
      .selectAll()
      .where('token_hash', '=', hashToken(token))
      .where('expires_at', '>', sql<Date>`now()`)
      .executeTakeFirst();
    if (row !== undefined) return row;
    await this.#parts.throttle.begin([linkSubject(origin.address)]);
    throw new InvalidTokenError(INVITATION);
  }

  /** Makes the token where it is sent: no queue and no table ever holds it. */
  async #send(invitationId: string): Promise<void> {
    const { database, mailer } = this.#parts;
    if (mailer === null) throw new EmailNotConfiguredError();
    const token = newSecretToken();
    const row = await database.db
      .updateTable('invitations')
      .set({ token_hash: hashToken(token) })
      .where('id', '=', invitationId)
      .where('expires_at', '>', sql<Date>`now()`)
      .returning(['email', 'role'])
      .executeTakeFirst();
    // Accepted, withdrawn or past its time meanwhile.
    if (row === undefined) return;
    await mailer.send(invitationEmail(row.email, this.#link(token), row.role, VALID_DAYS));
  }

  #link(token: string): string {
    return `${this.#parts.publicUrl}/invitation#${token}`;
  }
}

/** Deletes an open invitation: of two who come at the same time, one gets true. */
async function takeInvitation(tx: Transaction<Schema>, id: string): Promise<boolean> {
  const { numDeletedRows } = await tx.deleteFrom('invitations').where('id', '=', id).executeTakeFirst();
  return numDeletedRows === 1n;
}

function toInvitation(row: {
  readonly id: string;
  readonly email: string;
  readonly role: string;
  readonly invited_by: string;
  readonly created_at: Date;
  readonly expires_at: Date;
}): Invitation {
  return {
    id: row.id,
    email: row.email,
    role: row.role,
    invitedBy: row.invited_by,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
  };
}
