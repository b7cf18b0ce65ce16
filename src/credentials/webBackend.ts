import type { CryptoBackend, KeyMaterial } from './cryptoBackend.ts';
import type { Bytes } from './encoding.ts';
import { EncryptionNotConfiguredError } from './errors.ts';

const TAG_BITS = 128;

/** Web Crypto: browsers, workers, Node. Keys are CryptoKeys that cannot be exported. */
export const webBackend: CryptoBackend = {
  name: 'web',
  sha256: async (data) => new Uint8Array(await subtle().digest('SHA-256', data)),
  importKeyMaterial: async (secret) => {
    const key = await subtle().importKey('raw', secret, 'HKDF', false, ['deriveBits']);
    return keyMaterial(key);
  },
  pbkdf2: async (password, salt, iterations, lengthBytes) => {
    const key = await subtle().importKey('raw', password, 'PBKDF2', false, ['deriveBits']);
    return new Uint8Array(
      await subtle().deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, key, lengthBytes * 8),
    );
  },
  sealAesGcm: async (key, iv, aad, plaintext) => {
    const aesKey = await importAesKey(key, 'encrypt');
    return new Uint8Array(await subtle().encrypt(gcm(iv, aad), aesKey, plaintext));
  },
  openAesGcm: async (key, iv, aad, sealed) => {
    const aesKey = await importAesKey(key, 'decrypt');
    try {
      return new Uint8Array(await subtle().decrypt(gcm(iv, aad), aesKey, sealed));
    } catch {
      return null;
    }
  },
};

type Subtle = typeof globalThis.crypto.subtle;
type CryptoKey = Awaited<ReturnType<Subtle['deriveKey']>>;

function keyMaterial(key: CryptoKey): KeyMaterial {
  return {
    derive: async (salt, info, lengthBytes) =>
      new Uint8Array(await subtle().deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, key, lengthBytes * 8)),
  };
}

function importAesKey(key: Bytes, use: 'encrypt' | 'decrypt') {
  return subtle().importKey('raw', key, 'AES-GCM', false, [use]);
}

function gcm(iv: Bytes, aad: Bytes) {
  return { name: 'AES-GCM', iv, additionalData: aad, tagLength: TAG_BITS };
}

function subtle(): Subtle {
  const found = globalThis.crypto?.subtle;
  if (found === undefined) {
    throw new EncryptionNotConfiguredError(
      'Web Crypto is not available here. Browsers offer it to pages served over HTTPS or from localhost only.',
    );
  }
  return found;
}
