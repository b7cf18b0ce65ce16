import type { AuditOrigin, AuditTrail } from '../../audit/types.ts';
import { parseInput } from '../../core/input.ts';
import type { Database } from '../../store/database.ts';
import { InvalidTokenError, SetupDoneError } from './errors.ts';
import { linkSubject } from './loginSubjects.ts';
import { findToken, issueToken, useToken } from './oneTimeTokens.ts';
import { savePasswordHash } from './passwordCheck.ts';
import type { PasswordHasher } from './passwordHasher.ts';
import type { PasswordStrength } from './passwordStrength.ts';
import type { RoleRule } from './roleRule.ts';
import { newUserSchema } from './schemas.ts';
import { type AuthenticatedSession, loginEvent, type SessionService } from './sessions.ts';
import type { LoginThrottle } from './throttle.ts';
import { hasUsers, insertUser, toUser, type User } from './userQueries.ts';

const VALID_SECONDS = 86_400;

interface Parts {
  readonly database: Database;
  readonly hasher: PasswordHasher;
  readonly strength: PasswordStrength;
  readonly sessions: SessionService;
  readonly throttle: LoginThrottle;
  readonly roles: RoleRule;
  readonly audit: AuditTrail;
}

/** The first owner, made through a link that only who started the server sees. */
export class FirstSetup {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Whether there are users. */
  async isDone(): Promise<boolean> {
    return await hasUsers(this.#parts.database.db);
  }

  /** A new link, good for 24 hours, in place of earlier ones; null when there are users. */
  async ensureSetupLink(publicUrl: string): Promise<string | null> {
    const token = await this.#parts.database.transaction(async (tx) => {
      await tx.deleteFrom('one_time_tokens').where('purpose', '=', 'setup').execute();
      return (await hasUsers(tx)) ? null : await issueToken(tx, { purpose: 'setup', validSeconds: VALID_SECONDS });
    });
    // In the fragment, which browsers send to nobody.
    return token === null ? null : `${publicUrl}/setup#${token}`;
  }

  /**
   * Makes the first user, an owner, and signs them in.
   * @throws SetupDoneError when there are users, InvalidTokenError, InvalidInputError for a weak password
   */
  async complete(
    input: { readonly token: string; readonly email: string; readonly name: string; readonly password: string },
    origin: AuditOrigin,
  ): Promise<{ user: User; session: AuthenticatedSession }> {
    const { database, hasher, strength, sessions, roles, audit } = this.#parts;
    if (await this.isDone()) throw new SetupDoneError();
    const { email, name, role } = parseInput(newUserSchema, { ...input, role: 'owner' }, 'The user');
    const tokenId = await this.#requireToken(input.token, origin);
    await strength.require(input.password, [email, name]);
    const passwordHash = await hasher.hash(input.password);
    const made = await database.transaction(async (tx) => {
      // Whoever comes second waits here for the first, and then finds the token gone.
      if (!(await useToken(tx, tokenId)) || (await hasUsers(tx))) throw new SetupDoneError();
      const row = await insertUser(tx, { email, name, role });
      await savePasswordHash(tx, row.id, passwordHash);
      const session = await sessions.begin(tx, row.id, origin);
      await audit.record(tx, {
        actor: { kind: 'user', id: row.id },
        action: 'user.created',
        outcome: 'success',
        target: { kind: 'user', id: row.id },
        after: { email, name, role },
        details: { by: 'setup link' },
        origin,
      });
      await audit.record(tx, loginEvent(session.principal, 'setupLink', origin));
      return { user: toUser(row), session };
    });
    await roles.changed();
    return made;
  }

  async #requireToken(token: string, origin: AuditOrigin): Promise<string> {
    const { database, throttle } = this.#parts;
    const found = await findToken(database.db, 'setup', token);
    if (found !== null) return found.id;
    await throttle.begin([linkSubject(origin.address)]);
    throw new InvalidTokenError('The set-up link');
  }
}
