import { lazy } from '../core/lazy.ts';
import type { CryptoBackend } from './cryptoBackend.ts';
import { toBase64url } from './encoding.ts';
import { type EnvelopeContext, openEnvelope, sealEnvelope, type WrappingKey } from './envelope.ts';
import { type EncryptedCredentials, type KdfParameters, parseEnvelope, writeEnvelope } from './envelopeFormat.ts';
import { CredentialsUnreadableError, EncryptionNotConfiguredError } from './errors.ts';
import { checkIterations, checkSecret, checkUserId, checkUserKey, MIN_KDF_ITERATIONS } from './policy.ts';
import { RootKeys } from './rootKeys.ts';
import { BOX_BYTES, randomBytes } from './sealedBox.ts';
import { secureWipe } from './secureWipe.ts';
import { webBackend } from './webBackend.ts';

/** The key id of envelopes whose `kdf` says how their key comes of the secret. */
const SECRET_KEY_ID = 'secret';
const NO_CONTEXT: EnvelopeContext = { owner: '', integrationId: '', field: '' };

export interface EncryptionOptions {
  /** At least 32 characters; the same one is needed to decrypt. */
  readonly secret: string;
  /** PBKDF2-HMAC-SHA256 iterations for new envelopes: 600,000 (default) to 10,000,000. */
  readonly kdfIterations?: number;
  /** Default: Web Crypto. */
  readonly backend?: CryptoBackend;
}

interface Encryption {
  readonly backend: CryptoBackend;
  readonly roots: RootKeys;
  /** Of new envelopes: one salt for the life of this configuration, so that PBKDF2 runs once. */
  readonly kdf: KdfParameters;
}

let configured: Encryption | undefined;
let loadDefault: (() => Promise<Encryption>) | undefined;

/** Where the options come from while nobody has called `configure`: `load` runs at the first use, and not before. */
export function setDefaultEncryptionOptions(load: () => Promise<EncryptionOptions>): void {
  loadDefault = lazy(async () => makeEncryption(await load()));
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
    configured = makeEncryption(options);
  }

  /**
   * @param credentials any JSON value of at most 64 KiB.
   * @param userKey any text, such as a user's id or a key of `generateUserKey`; the same one is needed to decrypt.
   * @throws InvalidInputError, EncryptionNotConfiguredError
   */
  static async encrypt(credentials: unknown, userKey: string): Promise<EncryptedCredentials> {
    checkUserKey(userKey);
    const encryption = await ready();
    const key = await wrappingKey(encryption, encryption.kdf);
    return writeEnvelope(await sealEnvelope(encryption.backend, key, userKey, NO_CONTEXT, credentials));
  }

  /**
   * @throws CredentialsUnreadableError, one and the same whether the user key, the secret or the data is wrong.
   * @throws InvalidInputError, EncryptionNotConfiguredError
   */
  // biome-ignore lint/suspicious/noExplicitAny: the specification's signature; the caller knows what was encrypted
  static async decrypt(encryptedCredentials: EncryptedCredentials, userKey: string): Promise<any> {
    checkUserKey(userKey);
    const encryption = await ready();
    const envelope = parseEnvelope(encryptedCredentials);
    if (envelope?.keyId !== SECRET_KEY_ID || envelope.kdf === null) throw new CredentialsUnreadableError();
    const key = await wrappingKey(encryption, envelope.kdf);
    return await openEnvelope(encryption.backend, key, userKey, NO_CONTEXT, envelope);
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
    const { kdf } = await ready();
    const iterations = parseEnvelope(encryptedCredentials)?.kdf?.iterations;
    return iterations !== undefined && iterations < kdf.iterations;
  }

  /** Overwrites what can be overwritten of a value: see {@link secureWipe} for what that is, and what it is not. */
  static secureWipe(data: unknown): void {
    secureWipe(data);
  }
}

async function ready(): Promise<Encryption> {
  const encryption = configured ?? (await loadDefault?.());
  if (encryption !== undefined) return encryption;
  throw new EncryptionNotConfiguredError(
    'There is no secret to encrypt with. Call CredentialEncryption.configure({ secret }) first.',
  );
}

function makeEncryption({
  secret,
  kdfIterations = MIN_KDF_ITERATIONS,
  backend = webBackend,
}: EncryptionOptions): Encryption {
  checkSecret(secret);
  checkIterations(kdfIterations);
  const kdf = { iterations: kdfIterations, salt: randomBytes(BOX_BYTES.salt) };
  return { backend, roots: new RootKeys(secret, backend), kdf };
}

async function wrappingKey({ roots }: Encryption, kdf: KdfParameters): Promise<WrappingKey> {
  return { keyId: SECRET_KEY_ID, kdf, material: await roots.derive(kdf) };
}
