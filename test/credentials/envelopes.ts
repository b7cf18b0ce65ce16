import type { CryptoBackend } from '../../src/credentials/cryptoBackend.ts';
import { type EnvelopeContext, openEnvelope, sealEnvelope, type WrappingKey } from '../../src/credentials/envelope.ts';
import {
  type EncryptedCredentials,
  type KdfParameters,
  parseEnvelope,
  writeEnvelope,
} from '../../src/credentials/envelopeFormat.ts';
import { CredentialsUnreadableError } from '../../src/credentials/errors.ts';
import { nodeBackend } from '../../src/credentials/nodeBackend.ts';
import { randomBytes } from '../../src/credentials/sealedBox.ts';
import { webBackend } from '../../src/credentials/webBackend.ts';

export const BACKENDS: readonly CryptoBackend[] = [nodeBackend, webBackend];
export const USER_KEY = 'user-123';
export const CONTEXT: EnvelopeContext = {
  owner: 'acme',
  integrationId: 'int_01',
  field: 'credentials',
  recordVersion: 3,
};
export const CREDENTIALS = { apiKey: 'sk_live_1234567890', nested: { list: [1, true, null, 'ü€😀'] } };

/** A wrapping key of known bytes, so that both backends can be given the same one. */
export async function wrappingKey(
  backend: CryptoBackend,
  bytes: Uint8Array = randomBytes(32),
  kdf: KdfParameters | null = null,
): Promise<WrappingKey> {
  return { keyId: 'key_01', kdf, material: await backend.importKeyMaterial(new Uint8Array(bytes)) };
}

export async function seal(
  backend: CryptoBackend,
  key: WrappingKey,
  value: unknown = CREDENTIALS,
  context = CONTEXT,
): Promise<EncryptedCredentials> {
  return writeEnvelope(await sealEnvelope(backend, key, USER_KEY, context, value));
}

/** What `CredentialStore.open` does with something of unknown origin. */
export async function open(
  backend: CryptoBackend,
  key: WrappingKey,
  value: unknown,
  context = CONTEXT,
  userKey = USER_KEY,
): Promise<unknown> {
  const envelope = parseEnvelope(value);
  if (envelope?.keyId !== key.keyId) throw new CredentialsUnreadableError();
  return await openEnvelope(backend, key, userKey, context, envelope);
}

/** Whether opening is refused with the one error; anything else that is thrown is passed on. */
export async function isRefused(opening: Promise<unknown>): Promise<boolean> {
  try {
    await opening;
    return false;
  } catch (error) {
    if (error instanceof CredentialsUnreadableError) return true;
    throw error;
  }
}
