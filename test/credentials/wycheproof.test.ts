import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { BACKENDS } from './envelopes.ts';

// The files of C2SP/wycheproof, testvectors_v1 (Apache-2.0), stand beside this repository and not in it; without
// them only the vectors of standardVectors.test.ts are run.
const FOLDER =
  process.env.WYCHEPROOF_DIR ?? fileURLToPath(new URL('../../../shared/vectors/wycheproof', import.meta.url));
const FILES = ['aes_gcm_test.json', 'hkdf_sha256_test.json', 'pbkdf2_hmacsha256_test.json'];
const available = process.env.WYCHEPROOF_DIR !== undefined || FILES.every((name) => existsSync(`${FOLDER}/${name}`));

interface Case {
  readonly tcId: number;
  readonly result: 'valid' | 'invalid' | 'acceptable';
}

interface Group<C extends Case> {
  readonly ivSize?: number;
  readonly tests: readonly C[];
}

type AeadCase = Case & { readonly [field in 'key' | 'iv' | 'aad' | 'msg' | 'ct' | 'tag']: string };
type HkdfCase = Case & { readonly [field in 'ikm' | 'salt' | 'info' | 'okm']: string } & { readonly size: number };
type PbkdfCase = Case & { readonly [field in 'password' | 'salt' | 'dk']: string } & {
  readonly iterationCount: number;
  readonly dkLen: number;
};

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const hex = (data: Uint8Array | null) => data && Buffer.from(data).toString('hex');

function groups<C extends Case>(name: string): readonly Group<C>[] {
  return (JSON.parse(readFileSync(`${FOLDER}/${name}`, 'utf8')) as { testGroups: Group<C>[] }).testGroups;
}

describe.runIf(available).each(BACKENDS)('the $name backend', (backend) => {
  it('agrees with Wycheproof on AES-GCM with 96-bit IVs', async () => {
    const cases = groups<AeadCase>('aes_gcm_test.json')
      .filter((group) => group.ivSize === 96)
      .flatMap((group) => group.tests);
    for (const { tcId, result, key, iv, aad, msg, ct, tag } of cases) {
      const opened = await backend.openAesGcm(bytes(key), bytes(iv), bytes(aad), bytes(ct + tag));
      expect(hex(opened), `case ${tcId}`).toBe(result === 'valid' ? msg : null);
      if (result !== 'valid') continue;
      const sealed = await backend.sealAesGcm(bytes(key), bytes(iv), bytes(aad), bytes(msg));
      expect(hex(sealed), `case ${tcId}`).toBe(ct + tag);
    }
    expect(cases.length).toBeGreaterThanOrEqual(197);
  });

  it('agrees with Wycheproof on HKDF-SHA256', async () => {
    const cases = groups<HkdfCase>('hkdf_sha256_test.json').flatMap((group) => group.tests);
    for (const { tcId, result, ikm, salt, info, size, okm } of cases) {
      const derive = async () => {
        const material = await backend.importKeyMaterial(bytes(ikm));
        return hex(await material.derive(bytes(salt), bytes(info), size));
      };
      if (result === 'valid') expect(await derive(), `case ${tcId}`).toBe(okm);
      else await expect(derive(), `case ${tcId}`).rejects.toThrow();
    }
    expect(cases.length).toBeGreaterThanOrEqual(86);
  });

  it('agrees with Wycheproof on PBKDF2-HMAC-SHA256', async () => {
    const cases = groups<PbkdfCase>('pbkdf2_hmacsha256_test.json').flatMap((group) => group.tests);
    for (const { tcId, result, password, salt, iterationCount, dkLen, dk } of cases) {
      const derived = await backend.pbkdf2(bytes(password), bytes(salt), iterationCount, dkLen);
      expect(hex(derived) === dk, `case ${tcId}`).toBe(result === 'valid');
    }
    expect(cases.length).toBeGreaterThanOrEqual(60);
  });
});
