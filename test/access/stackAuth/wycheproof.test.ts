import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { errors } from 'jose';
import { expect, it } from 'vitest';
import { usableKeys } from '../../../src/access/stackAuth/jwks.ts';
import { verifySignedToken } from '../../../src/access/stackAuth/stackTokens.ts';

// The file of C2SP/wycheproof, testvectors_v1 (Apache-2.0), stands beside this repository and not in it.
const FOLDER =
  process.env.WYCHEPROOF_DIR ?? fileURLToPath(new URL('../../../../shared/vectors/wycheproof', import.meta.url));
const FILE = `${FOLDER}/json_web_signature_test.json`;

interface Group {
  readonly public?: Key;
  readonly private?: Key;
  readonly tests: readonly { tcId: number; jws: string | object; result: 'valid' | 'invalid' | 'acceptable' }[];
}

interface Key {
  readonly kty: string;
  readonly kid?: string;
  readonly crv?: string;
  readonly alg?: string;
}

/** The payloads of the vectors are no claims, so a token whose signature is right fails at exactly that. */
async function isSignatureTaken(jws: string, key: Key): Promise<boolean> {
  const expected = { issuer: 'x', audience: 'x', currentDate: new Date() };
  try {
    await verifySignedToken(jws, usableKeys([key]).find, expected);
    return true;
  } catch (error) {
    return error instanceof errors.JWTInvalid;
  }
}

it.runIf(existsSync(FILE))(
  'agrees with Wycheproof on signatures: those of ES256 are taken, and nothing else',
  async () => {
    const { testGroups } = JSON.parse(readFileSync(FILE, 'utf8')) as { testGroups: Group[] };
    let count = 0;
    let taken = 0;
    for (const group of testGroups) {
      const key = (group.public ?? group.private)!;
      for (const { tcId, jws, result } of group.tests) {
        const right = result === 'valid' && key.crv === 'P-256' && key.alg === 'ES256';
        const accepted = await isSignatureTaken(typeof jws === 'string' ? jws : JSON.stringify(jws), key);
        expect(accepted, `case ${tcId}`).toBe(right);
        count++;
        if (accepted) taken++;
      }
    }
    expect(count).toBeGreaterThanOrEqual(401);
    expect(taken).toBeGreaterThanOrEqual(2);
  },
);
