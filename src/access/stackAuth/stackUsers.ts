import type { AuditOrigin, AuditTrail } from '../../audit/types.ts';
import { ConflictError } from '../../core/errors.ts';
import { newId } from '../../core/ids.ts';
import type { Database } from '../../store/database.ts';
import type { AccessSignal, AccessVersion } from '../accessSignal.ts';
import type { Authentication } from '../authentication.ts';
import { NO_ROLE } from '../roles/builtInRoles.ts';
import { VersionedCache } from '../versionedCache.ts';
import type { StackClaims, StackTokens } from './stackTokens.ts';

const MAX_CACHED = 10_000;
const MAX_LINK_ATTEMPTS = 3;
/** Who may sign up at Stack Auth is decided there, often by nobody, so signing up there must not open anything here. */
const NEWCOMER_ROLE = NO_ROLE;

interface Dependencies {
  readonly database: Database;
  readonly audit: AuditTrail;
  readonly tokens: StackTokens;
  readonly projectId: string;
  readonly version: AccessVersion;
  readonly signal: AccessSignal;
}

interface LinkedUser {
  readonly userId: string;
  readonly status: 'active' | 'frozen' | 'deactivated';
}

/**
 * Tells whose access token of Stack Auth it is. A user seen for the first time gets an account here, without a role.
 *
 * It is always a new account. Linking an existing one by its e-mail address would let whoever runs the sign-up of the
 * project, or finds a hole in its verification, become the owner here, past the password and the second factor.
 */
export class StackAuthenticator {
  readonly #deps: Dependencies;
  readonly #cache: VersionedCache<LinkedUser>;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#cache = new VersionedCache({ max: MAX_CACHED, version: deps.version, signal: deps.signal });
  }

  /** @throws UnavailableError Stack Auth's keys cannot be fetched */
  async authenticate(token: string, origin: AuditOrigin): Promise<Authentication> {
    const verified = await this.#deps.tokens.verify(token);
    if ('refused' in verified) return verified;
    const { claims } = verified;
    const user =
      (await this.#cache.get(claims.subject, () => this.#find(claims.subject))) ?? (await this.#link(claims, origin));
    if (user.status !== 'active') return { refused: `The account ${user.userId} is ${user.status}.` };
    return { principal: { kind: 'user', userId: user.userId, sessionId: `stack:${claims.sessionId}` } };
  }

  async #find(subject: string): Promise<LinkedUser | null> {
    const row = await this.#deps.database.db
      .selectFrom('stack_identities as s')
      .innerJoin('users as u', 'u.id', 's.user_id')
      .select(['u.id', 'u.status'])
      .where('s.project_id', '=', this.#deps.projectId)
      .where('s.subject', '=', subject)
      .executeTakeFirst();
    return row === undefined ? null : { userId: row.id, status: row.status };
  }

  /** Requests of one person may come at the same time: one of them makes the account, the others find it. */
  async #link(claims: StackClaims, origin: AuditOrigin): Promise<LinkedUser> {
    for (let attempt = 0; attempt < MAX_LINK_ATTEMPTS; attempt++) {
      const linked = (await this.#makeAccount(claims, origin)) ?? (await this.#find(claims.subject));
      if (linked !== null) return linked;
    }
    throw new ConflictError('The account was being made by another request. Try again.');
  }

  /** Null when another request was first, with this person or with the e-mail address. */
  async #makeAccount(claims: StackClaims, origin: AuditOrigin): Promise<LinkedUser | null> {
    const { database, audit, projectId, signal } = this.#deps;
    const { subject } = claims;
    const userId = newId('user');
    // The placeholder leads nowhere (RFC 2606).
    const email = (await this.#freeAddress(claims)) ?? `${userId}@stack-auth.invalid`;
    const made = await database.transaction(async (tx) => {
      const user = await tx
        .insertInto('users')
        .values({ id: userId, email, name: claims.name ?? subject, role: NEWCOMER_ROLE, status: 'active' })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      if (user.numInsertedOrUpdatedRows !== 1n) return false;
      const identity = await tx
        .insertInto('stack_identities')
        .values({ project_id: projectId, subject, user_id: userId })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      if (identity.numInsertedOrUpdatedRows !== 1n) {
        await tx.deleteFrom('users').where('id', '=', userId).execute();
        return false;
      }
      await audit.record(tx, {
        actor: { kind: 'user', id: userId },
        action: 'user.linked',
        outcome: 'success',
        target: { kind: 'user', id: userId },
        origin,
        details: { provider: 'Stack Auth', projectId, subject, email, role: NEWCOMER_ROLE },
      });
      return true;
    });
    if (!made) return null;
    await signal.announce();
    return { userId, status: 'active' };
  }

  /** The address of the claims when it is proven theirs and nobody's here. */
  async #freeAddress({ email, emailVerified }: StackClaims): Promise<string | null> {
    if (email === null || !emailVerified) return null;
    const taken = await this.#deps.database.db
      .selectFrom('users')
      .select('id')
      .where((eb) => eb(eb.fn<string>('lower', ['email']), '=', eb.fn<string>('lower', [eb.val(email)])))
      .executeTakeFirst();
    return taken === undefined ? email : null;
  }
}
