import type { CryptoBackend } from './cryptoBackend.ts';
import { type EnvelopeContext, openEnvelope, sealEnvelope, type WrappingKey } from './envelope.ts';
import { type EncryptedCredentials, type KdfParameters, parseEnvelope, writeEnvelope } from './envelopeFormat.ts';
import { CredentialsUnreadableError } from './errors.ts';
import { checkIterations, checkSecret, checkUserKey, MIN_KDF_ITERATIONS } from './policy.ts';
import { RootKeys } from './rootKeys.ts';
import { BOX_BYTES, randomBytes } from './sealedBox.ts';
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

/** Encrypts for user keys under one secret: what `CredentialEncryption` does with the secret of the installation. */
export class CredentialCipher {
  readonly #backend: CryptoBackend;
  readonly #roots: RootKeys;
  /** Of new envelopes: one salt for the life of the cipher, so that PBKDF2 runs once. */
  readonly #kdf: KdfParameters;

  /** @throws InvalidInputError when the secret is too short or the iterations are outside the policy. */
  constructor({ secret, kdfIterations = MIN_KDF_ITERATIONS, backend = webBackend }: EncryptionOptions) {
    checkSecret(secret);
    checkIterations(kdfIterations);
    this.#backend = backend;
    this.#roots = new RootKeys(secret, backend);
    this.#kdf = { iterations: kdfIterations, salt: randomBytes(BOX_BYTES.salt) };
  }

  /** Of new envelopes. */
  get kdfIterations(): number {
    return this.#kdf.iterations;
  }

  /** @throws InvalidInputError */
  async encrypt(credentials: unknown, userKey: string): Promise<EncryptedCredentials> {
    checkUserKey(userKey);
    const key = await this.#wrappingKey(this.#kdf);
    return writeEnvelope(await sealEnvelope(this.#backend, key, userKey, NO_CONTEXT, credentials));
  }

  /** @throws CredentialsUnreadableError, InvalidInputError */
  // biome-ignore lint/suspicious/noExplicitAny: the specification's signature; the caller knows what was encrypted
  async decrypt(encryptedCredentials: EncryptedCredentials, userKey: string): Promise<any> {
    checkUserKey(userKey);
    const envelope = parseEnvelope(encryptedCredentials);
    if (envelope?.keyId !== SECRET_KEY_ID || envelope.kdf === null) throw new CredentialsUnreadableError();
    const key = await this.#wrappingKey(envelope.kdf);
    return await openEnvelope(this.#backend, key, userKey, NO_CONTEXT, envelope);
  }

  async #wrappingKey(kdf: KdfParameters): Promise<WrappingKey> {
    return { keyId: SECRET_KEY_ID, kdf, material: await this.#roots.derive(kdf) };
  }
}
