import { lazy } from '../core/lazy.ts';
import { CredentialCipher, type EncryptionOptions } from './credentialCipher.ts';
import { toBase64url } from './encoding.ts';
import { type EncryptedCredentials, parseEnvelope } from './envelopeFormat.ts';
import { EncryptionNotConfiguredError } from './errors.ts';
import { checkUserId, checkUserKey } from './policy.ts';
import { randomBytes } from './sealedBox.ts';
import { secureWipe } from './secureWipe.ts';

let configured: CredentialCipher | undefined;
let loadDefault: (() => Promise<CredentialCipher>) | undefined;

/** Where the options come from while nobody has called `configure`: `load` runs at the first use, and not before. */
export function setDefaultEncryptionOptions(load: () => Promise<EncryptionOptions>): void {
  loadDefault = lazy(async () => new CredentialCipher(await load()));
}

/**
 * Encrypts credentials so that both this installation's secret and the user key are needed to read them.
 *
 * Runs on Web Crypto alone, in a browser too. There `configure` must be called first; on a server, importing
 * `services/credentialEncryption` is enough, and the secret of the installation is used.
 *
 * @example
 * const encrypted = await CredentialEncryption.encrypt({ apiKey: 'sensitive-key' }, 'user-123');
 * const { apiKey } = await CredentialEncryption.decrypt(encrypted, 'user-123');
 */
// biome-ignore lint/complexity/noStaticOnlyClass: the specification's form
export class CredentialEncryption {
  /**
   * Sets the secret and the cost of new envelopes. Envelopes made with another cost or by another process with the
   * same secret still open.
   * @throws InvalidInputError when the secret is too short or the iterations are outside the policy.
   */
  static configure(options: EncryptionOptions): void {
    configured = new CredentialCipher(options);
  }

  /**
   * @param credentials any JSON value of at most 64 KiB.
   * @param userKey any text, such as a user's id or a key of `generateUserKey`; the same one is needed to decrypt.
   * @throws InvalidInputError, EncryptionNotConfiguredError
   */
  static async encrypt(credentials: unknown, userKey: string): Promise<EncryptedCredentials> {
    return await (await ready()).encrypt(credentials, userKey);
  }

  /**
   * @throws CredentialsUnreadableError, one and the same whether the user key, the secret or the data is wrong.
   * @throws InvalidInputError, EncryptionNotConfiguredError
   */
  // biome-ignore lint/suspicious/noExplicitAny: the specification's signature; the caller knows what was encrypted
  static async decrypt(encryptedCredentials: EncryptedCredentials, userKey: string): Promise<any> {
    return await (await ready()).decrypt(encryptedCredentials, userKey);
  }

  /**
   * A new key for a user: `uk1.<user id>.<256 random bits>`. Two calls give two keys, so store it with the user:
   * a key that could be computed from the id again would be no secret.
   * @throws InvalidInputError
   */
  static generateUserKey(userId: string): string {
    checkUserId(userId);
    return `uk1.${encodeURIComponent(userId)}.${toBase64url(randomBytes(32))}`;
  }

  /**
   * Whether a value of any origin has the form of encrypted credentials and satisfies the policy (version, suite,
   * iterations, lengths). Only `decrypt` tells whether it is genuine. Never throws.
   */
  static validateEncryptedCredentials(credentials: unknown): boolean {
    return parseEnvelope(credentials) !== null;
  }

  /**
   * The same credentials for another user key: a new data key, new salts and the cost configured now. The old
   * envelope still opens with the old key; erase it.
   * @throws CredentialsUnreadableError, InvalidInputError, EncryptionNotConfiguredError
   */
  static async rotateCredentials(
    encryptedCredentials: EncryptedCredentials,
    oldUserKey: string,
    newUserKey: string,
  ): Promise<EncryptedCredentials> {
    checkUserKey(newUserKey, 'newUserKey');
    const credentials: unknown = await CredentialEncryption.decrypt(encryptedCredentials, oldUserKey);
    return await CredentialEncryption.encrypt(credentials, newUserKey);
  }

  /** Whether these were encrypted at a lower cost than is configured now; `rotateCredentials` raises it. */
  static async needsRotation(encryptedCredentials: EncryptedCredentials): Promise<boolean> {
    const { kdfIterations } = await ready();
    const iterations = parseEnvelope(encryptedCredentials)?.kdf?.iterations;
    return iterations !== undefined && iterations < kdfIterations;
  }

  /** Overwrites what can be overwritten of a value: see {@link secureWipe} for what that is, and what it is not. */
  static secureWipe(data: unknown): void {
    secureWipe(data);
  }
}

async function ready(): Promise<CredentialCipher> {
  const cipher = configured ?? (await loadDefault?.());
  if (cipher !== undefined) return cipher;
  throw new EncryptionNotConfiguredError(
    'There is no secret to encrypt with. Call CredentialEncryption.configure({ secret }) first.',
  );
}
