import type { AccessControl } from '../access/decisions/accessControl.ts';
import { acting } from '../audit/acting.ts';
import type { AuditTrail } from '../audit/types.ts';
import { parseInput } from '../core/input.ts';
import type { CredentialCipher } from '../credentials/credentialCipher.ts';
import type { EncryptedCredentials } from '../credentials/envelopeFormat.ts';
import type { Database } from '../store/database.ts';
import { auditEventSchema } from './schemas.ts';

interface Dependencies {
  readonly database: Database;
  readonly accessControl: AccessControl;
  readonly audit: AuditTrail;
  readonly cipher: CredentialCipher;
}

/** Who may do what, proof of what was done, and credentials that only their user's key opens. */
export class AdvancedSecurityService {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /**
   * Encrypts for a user with the secret of this installation and the user's id: `CredentialEncryption.encrypt`.
   * @throws InvalidInputError
   */
  encryptCredentials(credentials: unknown, userId: string): Promise<EncryptedCredentials> {
    return this.#deps.cipher.encrypt(credentials, userId);
  }

  /**
   * That they are opened is recorded before they are.
   * @throws CredentialsUnreadableError, InvalidInputError
   */
  // biome-ignore lint/suspicious/noExplicitAny: the specification's signature; the caller knows what was encrypted
  async decryptCredentials(encryptedCredentials: EncryptedCredentials, userId: string): Promise<any> {
    const { audit, database, cipher } = this.#deps;
    const target = { kind: 'user', id: userId };
    await audit.record(database.db, { ...acting(), action: 'credential.released', outcome: 'success', target });
    return await cipher.decrypt(encryptedCredentials, userId);
  }

  /**
   * Whether the user may do it to the integration; false when there is no such user or integration. A refusal is
   * recorded.
   * @param requiredPermission a full name such as `records:read`, or a verb that is about the integration: `read`
   * @throws InvalidInputError when there is no such permission
   * @throws UnavailableError when the database does not answer
   */
  async checkAccessControl(userId: string, integrationId: string, requiredPermission: string): Promise<boolean> {
    const { accessControl, audit, database } = this.#deps;
    const decision = await accessControl.explainAccess(userId, integrationId, requiredPermission);
    if (decision.allowed) return true;
    await audit.record(database.db, {
      actor: { kind: 'user', id: userId },
      origin: acting().origin,
      action: 'access.denied',
      outcome: 'denied',
      target: { kind: 'integration', id: integrationId },
      integrationId,
      details: { attempted: requiredPermission, reason: decision.reason },
    });
    return false;
  }

  /**
   * Adds an event of the caller's own to the audit log, in the name of this user. When it resolves the event is kept.
   * @param action `noun.verb`, such as `report.downloaded`
   * @param details any JSON object; what looks like a secret is taken out, what is too large is cut with a mark
   * @throws InvalidInputError
   */
  async logAuditEvent(
    userId: string,
    integrationId: string,
    action: string,
    // biome-ignore lint/suspicious/noExplicitAny: the specification's signature
    details: Record<string, any> = {},
  ): Promise<void> {
    const event = parseInput(auditEventSchema, { userId, integrationId, action, details }, 'The audit event');
    await this.#deps.audit.record(this.#deps.database.db, {
      actor: { kind: 'user', id: event.userId },
      origin: acting().origin,
      action: event.action,
      outcome: 'success',
      target: { kind: 'integration', id: event.integrationId },
      integrationId: event.integrationId,
      details: event.details,
    });
  }
}
