import { type Kysely, sql, type Transaction } from 'kysely';
import type { AuditOrigin, AuditTrail } from '../../audit/types.ts';
import type { Clock } from '../../core/clock.ts';
import type { CredentialStore } from '../../credentials/credentialStore.ts';
import { liveSecrets } from '../../redaction/knownSecrets.ts';
import type { Database } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';
import { SecondFactorStateError, WrongCodeError } from './errors.ts';
import { secondFactorSubject } from './loginSubjects.ts';
import type { PasswordCheck } from './passwordCheck.ts';
import { hashRecoveryCode, newRecoveryCodes } from './recoveryCodes.ts';
import { endSessions } from './sessionQueries.ts';
import type { SessionService, UserPrincipal } from './sessions.ts';
import type { LoginThrottle } from './throttle.ts';
import { newTotpSecret, totpStep, totpUri } from './totp.ts';
import { getUserRow } from './userQueries.ts';

interface Parts {
  readonly database: Database;
  readonly credentials: CredentialStore;
  readonly sessions: SessionService;
  readonly check: PasswordCheck;
  readonly throttle: LoginThrottle;
  readonly audit: AuditTrail;
  readonly clock: Clock;
}

/** What an authenticator app needs; shown once. */
export interface Enrolment {
  readonly secret: string;
  readonly uri: string;
  /** The URI as a QR code: an SVG document. */
  readonly qrCode: string;
}

/** Time-based one-time codes (RFC 6238) as a second factor, and recovery codes for when the app is lost. */
export class SecondFactors {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async isOn(db: Kysely<Schema>, userId: string): Promise<boolean> {
    return (await findFactor(db, userId))?.confirmed_at instanceof Date;
  }

  /**
   * Makes a new secret, which counts once `confirm` has seen a code of it. A former one that was not confirmed goes.
   * @throws SecondFactorStateError when the second factor is on
   */
  async enrol({ userId }: UserPrincipal): Promise<Enrolment> {
    const secret = newTotpSecret();
    liveSecrets.add(secret);
    const { email } = await getUserRow(this.#parts.database.db, userId);
    await this.#parts.database.transaction(async (tx) => {
      const { envelope, keyId } = await this.#parts.credentials.seal(sealContext(userId), secret, tx);
      const sealed = { secret_envelope: JSON.stringify(envelope), key_id: keyId };
      const { numInsertedOrUpdatedRows } = await tx
        .insertInto('second_factors')
        .values({ user_id: userId, ...sealed })
        .onConflict((conflict) =>
          conflict
            .column('user_id')
            .doUpdateSet({ ...sealed, last_used_step: null, created_at: sql`now()` })
            .where('second_factors.confirmed_at', 'is', null),
        )
        .executeTakeFirstOrThrow();
      if (numInsertedOrUpdatedRows === 0n) {
        throw new SecondFactorStateError('The second factor is on. Switch it off first to set up another device.');
      }
    });
    const uri = totpUri(secret, email);
    const { toString: draw } = await import('qrcode');
    return { secret, uri, qrCode: await draw(uri, { type: 'svg', margin: 2 }) };
  }

  /**
   * Switches the second factor on and ends the person's other sessions; the recovery codes, shown this once.
   * @throws WrongCodeError, SecondFactorStateError, LoginThrottledError
   */
  async confirm(principal: UserPrincipal, code: string, origin: AuditOrigin): Promise<string[]> {
    const { userId } = principal;
    const { database, throttle, audit, sessions } = this.#parts;
    const subjects = [secondFactorSubject(userId)];
    await throttle.begin(subjects);
    const codes = newRecoveryCodes();
    await database.transaction(async (tx) => {
      const factor = await findFactor(tx, userId, true);
      if (factor === null || factor.confirmed_at !== null) {
        throw new SecondFactorStateError('There is no second factor that waits for its first code.');
      }
      if (!(await this.#useTotp(tx, userId, factor.secret_envelope, code))) throw new WrongCodeError();
      await throttle.succeed(tx, subjects);
      await tx.updateTable('second_factors').set({ confirmed_at: sql`now()` }).where('user_id', '=', userId).execute();
      await tx
        .insertInto('recovery_codes')
        .values(codes.map((one) => ({ user_id: userId, code_hash: hashRecoveryCode(userId, one)! })))
        .execute();
      await endSessions(tx, userId, { except: principal.sessionId });
      await audit.record(tx, {
        actor: { kind: 'user', id: userId },
        action: 'secondFactor.enabled',
        outcome: 'success',
        target: { kind: 'user', id: userId },
        origin,
      });
    });
    sessions.forget();
    return codes;
  }

  /** Switches it off and ends the person's other sessions. @throws WrongPasswordError, SecondFactorStateError */
  async disable(principal: UserPrincipal, password: string, origin: AuditOrigin): Promise<void> {
    const { userId } = principal;
    const checked = await this.#parts.check.require(userId, password, origin);
    await this.#parts.database.transaction(async (tx) => {
      await checked.succeed(tx);
      await this.remove(tx, userId);
      await endSessions(tx, userId, { except: principal.sessionId });
      await this.#parts.audit.record(tx, {
        actor: { kind: 'user', id: userId },
        action: 'secondFactor.disabled',
        outcome: 'success',
        target: { kind: 'user', id: userId },
        origin,
      });
    });
    this.#parts.sessions.forget();
  }

  /** Deletes it with its recovery codes. @throws SecondFactorStateError when there is none */
  async remove(tx: Transaction<Schema>, userId: string): Promise<void> {
    const { numDeletedRows } = await tx.deleteFrom('second_factors').where('user_id', '=', userId).executeTakeFirst();
    if (numDeletedRows === 0n) throw new SecondFactorStateError('There is no second factor to switch off.');
  }

  /** Uses up a code of the app or a recovery code; which of them it was, or null when it is neither. */
  async use(tx: Transaction<Schema>, userId: string, code: string): Promise<'totp' | 'recoveryCode' | null> {
    const factor = await findFactor(tx, userId, true);
    if (factor === null || factor.confirmed_at === null) return null;
    if (await this.#useTotp(tx, userId, factor.secret_envelope, code)) return 'totp';
    const hash = hashRecoveryCode(userId, code);
    if (hash === null) return null;
    const { numDeletedRows } = await tx
      .deleteFrom('recovery_codes')
      .where('user_id', '=', userId)
      .where('code_hash', '=', hash)
      .executeTakeFirst();
    return numDeletedRows === 1n ? 'recoveryCode' : null;
  }

  async #useTotp(tx: Transaction<Schema>, userId: string, envelope: unknown, code: string): Promise<boolean> {
    const secret = (await this.#parts.credentials.open(sealContext(userId), envelope, tx)) as string;
    liveSecrets.add(secret);
    const step = totpStep(secret, code, this.#parts.clock.now());
    if (step === null) return false;
    const { numUpdatedRows } = await tx
      .updateTable('second_factors')
      .set({ last_used_step: step })
      .where('user_id', '=', userId)
      .where((eb) => eb.or([eb('last_used_step', 'is', null), eb('last_used_step', '<', step)]))
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  }
}

async function findFactor(db: Kysely<Schema>, userId: string, lock = false) {
  const query = db
    .selectFrom('second_factors')
    .select(['secret_envelope', 'confirmed_at'])
    .where('user_id', '=', userId);
  return (await (lock ? query.forUpdate() : query).executeTakeFirst()) ?? null;
}

function sealContext(userId: string) {
  return { owner: userId, integrationId: 'accounts', field: 'totp' };
}
