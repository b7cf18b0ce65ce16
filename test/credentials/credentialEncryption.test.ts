import { inspect } from 'node:util';
import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../src/core/errors.ts';
import { CredentialEncryption } from '../../src/credentials/credentialEncryption.ts';
import type { EncryptedCredentials } from '../../src/credentials/envelopeFormat.ts';
import { nodeBackend } from '../../src/credentials/nodeBackend.ts';
import { webBackend } from '../../src/credentials/webBackend.ts';
import { seal, wrappingKey } from './envelopes.ts';

const SECRET = 'the secret of this installation, CANARY-1';
const CREDENTIALS = { apiKey: 'sensitive-key', list: [1, { deep: 'CANARY-2' }] };
/** Made once by `encrypt(CREDENTIALS, 'user-123')`; it must open as long as version 1 is supported. */
const GOLDEN =
  '{"version":1,"suite":"HKDF-SHA256.AES-256-GCM.COMMIT","keyId":"secret","kdf":{"name":"PBKDF2-HMAC-SHA256","iterations":600000,"salt":"OQ-_toLUyI_ZKZyQatoQNFdqiRjABv81JXtNDOh60Mc"},"key":{"salt":"E2gflrMhG_MsBEhVKmvAJt3rJ6FEoX_KVtbmxzdw4e4","iv":"o4aV_vK-Ycmoru_u","commitment":"t3JI_mW6ux_eHq5NjXfExabWeXY1deeShc0-CRVxt78","ciphertext":"6JgKp4Uh-ADUYJI9lXt7ubdHpplgcpDJ25AVT9OJ-Qu4pwDzHcwcvDO92ZgGhpUg"},"data":{"salt":"inppJfqvTtwP5pdaBA2Z7AyuFzNpZsdU1OO--CpnAOo","iv":"G-zXfEvz7j7eHkN6","commitment":"akeemAXEt97FzW0iR0HvGcaNBhdKp_tp8w9XN3KCNnM","ciphertext":"N1s7f9FqykCJB8Pu6hUDZQPu66NNQvOw1u8m5ha-qnGuYd5Ffe0_XUWPwByyNwPaHCV36keHLEra3XnGig5aEF3fi7z3KV-xnQ"}}';

beforeEach(() => CredentialEncryption.configure({ secret: SECRET, backend: nodeBackend }));

async function failure(call: () => unknown): Promise<AppError> {
  try {
    await call();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('The call did not fail.');
}

describe('encrypt and decrypt', () => {
  it('give back the credentials for the same user key, also after a restart with the same secret', async () => {
    const encrypted = await CredentialEncryption.encrypt(CREDENTIALS, 'user-123');
    expect(JSON.stringify(encrypted)).not.toContain('sensitive');
    expect(await CredentialEncryption.decrypt(encrypted, 'user-123')).toEqual(CREDENTIALS);
    CredentialEncryption.configure({ secret: SECRET, backend: webBackend });
    const received = JSON.parse(JSON.stringify(encrypted)) as EncryptedCredentials;
    expect(await CredentialEncryption.decrypt(received, 'user-123')).toEqual(CREDENTIALS);
  });

  it('take any user key', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ minLength: 1, unit: 'grapheme' }),
        fc.string({ minLength: 1 }),
        async (key, other) => {
          const encrypted = await CredentialEncryption.encrypt(CREDENTIALS, key);
          expect(await CredentialEncryption.decrypt(encrypted, key)).toEqual(CREDENTIALS);
          if (other === key) return;
          await expect(CredentialEncryption.decrypt(encrypted, other)).rejects.toThrow('cannot be opened');
        },
      ),
      { numRuns: 100 },
    );
  });

  it('need the secret of the installation, not the user key alone', async () => {
    const encrypted = await CredentialEncryption.encrypt(CREDENTIALS, 'user-123');
    CredentialEncryption.configure({ secret: `${SECRET}!`, backend: nodeBackend });
    expect((await failure(() => CredentialEncryption.decrypt(encrypted, 'user-123'))).code).toBe(
      'CREDENTIALS_UNREADABLE',
    );
  });

  it('keep iterations and salt in the envelope, so that a changed cost opens old envelopes', async () => {
    const encrypted = await CredentialEncryption.encrypt(CREDENTIALS, 'user-123');
    expect(encrypted.kdf).toMatchObject({ name: 'PBKDF2-HMAC-SHA256', iterations: 600_000 });
    expect(await CredentialEncryption.needsRotation(encrypted)).toBe(false);
    CredentialEncryption.configure({ secret: SECRET, kdfIterations: 600_001, backend: nodeBackend });
    expect(await CredentialEncryption.needsRotation(encrypted)).toBe(true);
    const rotated = await CredentialEncryption.rotateCredentials(encrypted, 'user-123', 'user-123');
    expect(rotated.kdf?.iterations).toBe(600_001);
    expect(await CredentialEncryption.needsRotation(rotated)).toBe(false);
    expect(await CredentialEncryption.decrypt(rotated, 'user-123')).toEqual(CREDENTIALS);
  });

  it('open an envelope of the first release', async () => {
    const golden = JSON.parse(GOLDEN) as EncryptedCredentials;
    expect(await CredentialEncryption.decrypt(golden, 'user-123')).toEqual(CREDENTIALS);
  });
});

describe('rotateCredentials', () => {
  it('leaves nothing of the old envelope and closes it to the old user key', async () => {
    const before = await CredentialEncryption.encrypt(CREDENTIALS, 'old');
    const after = await CredentialEncryption.rotateCredentials(before, 'old', 'new');
    expect(after.key.ciphertext).not.toBe(before.key.ciphertext);
    expect(after.data.ciphertext).not.toBe(before.data.ciphertext);
    expect(await CredentialEncryption.decrypt(after, 'new')).toEqual(CREDENTIALS);
    const codes = [
      await failure(() => CredentialEncryption.decrypt(after, 'old')),
      await failure(() => CredentialEncryption.rotateCredentials(before, 'new', 'newer')),
    ].map((error) => error.code);
    expect(codes).toEqual(['CREDENTIALS_UNREADABLE', 'CREDENTIALS_UNREADABLE']);
  });
});

describe('generateUserKey', () => {
  it('labels 256 fresh random bits with the user id', async () => {
    const keys = Array.from({ length: 100 }, () => CredentialEncryption.generateUserKey('jörg / 7.x'));
    expect(new Set(keys).size).toBe(100);
    for (const key of keys) {
      const [label, userId, random] = key.split(/\.(?=[^.]*$)|(?<=^uk1)\./) as [string, string, string];
      expect([label, decodeURIComponent(userId)]).toEqual(['uk1', 'jörg / 7.x']);
      expect(Buffer.from(random, 'base64url')).toHaveLength(32);
    }
    const encrypted = await CredentialEncryption.encrypt(CREDENTIALS, keys[0]!);
    expect(await CredentialEncryption.decrypt(encrypted, keys[0]!)).toEqual(CREDENTIALS);
  });
});

describe('validateEncryptedCredentials', () => {
  it('is true for what encrypt gives and false for anything else, and never throws', async () => {
    const encrypted = await CredentialEncryption.encrypt(CREDENTIALS, 'user-123');
    expect(CredentialEncryption.validateEncryptedCredentials(encrypted)).toBe(true);
    expect(CredentialEncryption.validateEncryptedCredentials(JSON.parse(JSON.stringify(encrypted)))).toBe(true);
    const throwing = new Proxy(encrypted, {
      get() {
        throw new Error('no');
      },
    });
    const cyclic: Record<string, unknown> = { ...encrypted };
    cyclic.data = cyclic;
    const getter = Object.defineProperty({ ...encrypted }, 'key', {
      enumerable: true,
      get() {
        throw new Error('no');
      },
    });
    const others: unknown[] = [
      ...[undefined, null, 0, '', 'text', true, 1n, Symbol('s'), () => encrypted, [], [encrypted], {}, new Map()],
      ...[throwing, cyclic, getter, new Proxy(() => {}, {}), JSON.stringify(encrypted)],
      { ...encrypted, extra: 1 },
      { ...encrypted, kdf: { ...encrypted.kdf, iterations: 599_999 } },
      { ...encrypted, kdf: { ...encrypted.kdf, iterations: 600_000.5 } },
      { ...encrypted, kdf: undefined },
      { ...encrypted, data: { ...encrypted.data, ciphertext: 'A'.repeat(200_000) } },
      { ...encrypted, data: { ...encrypted.data, ciphertext: 'AAAA' } },
      { ...encrypted, data: { ...encrypted.data, iv: `${encrypted.data.iv}=` } },
    ];
    for (const other of others) {
      expect(CredentialEncryption.validateEncryptedCredentials(other), inspect(other)).toBe(false);
    }
    fc.assert(
      fc.property(fc.anything({ withProxy: true, withNullPrototype: true } as object), (value) => {
        expect(CredentialEncryption.validateEncryptedCredentials(value)).toBe(false);
      }),
    );
  });

  it('reads every property once, so that a value cannot change between check and use', async () => {
    const encrypted = await CredentialEncryption.encrypt(CREDENTIALS, 'user-123');
    const reads = new Map<PropertyKey, number>();
    const counting = new Proxy(encrypted, {
      get(target, name) {
        reads.set(name, (reads.get(name) ?? 0) + 1);
        return Reflect.get(target, name) as unknown;
      },
    });
    expect(await CredentialEncryption.decrypt(counting, 'user-123')).toEqual(CREDENTIALS);
    expect([...reads.values()].every((count) => count === 1)).toBe(true);
  });
});

describe('errors', () => {
  let failures: AppError[];

  beforeAll(async () => {
    CredentialEncryption.configure({ secret: SECRET, backend: nodeBackend });
    const encrypted = await CredentialEncryption.encrypt(CREDENTIALS, 'CANARY-3');
    const other = await CredentialEncryption.encrypt(CREDENTIALS, 'CANARY-3');
    const installation = await seal(nodeBackend, await wrappingKey(nodeBackend));
    const decrypt = (value: unknown, key = 'CANARY-3') =>
      failure(() => CredentialEncryption.decrypt(value as EncryptedCredentials, key));
    failures = [
      await decrypt(encrypted, 'CANARY-4'),
      await decrypt(null),
      await decrypt({}),
      await decrypt({ ...encrypted, version: 2 }),
      await decrypt({ ...encrypted, kdf: { ...encrypted.kdf, iterations: 600_001 } }),
      await decrypt({ ...encrypted, data: { ...encrypted.data, commitment: other.data.commitment } }),
      await decrypt({ ...encrypted, data: { ...encrypted.data, ciphertext: other.data.ciphertext } }),
      await decrypt({ ...encrypted, key: other.key }),
      await decrypt(installation),
    ];
  });

  it('are one and the same whatever check refused the envelope', () => {
    const seen = failures.map(({ name, code, message, details, cause }) =>
      JSON.stringify({ name, code, message, details, cause }),
    );
    expect(new Set(seen).size).toBe(1);
  });

  it('hold neither secret nor user key nor credentials', async () => {
    const cyclic: Record<string, unknown> = { apiKey: 'CANARY-5' };
    cyclic.self = cyclic;
    const inputs = [
      () => CredentialEncryption.configure({ secret: 'CANARY-6' }),
      () => CredentialEncryption.configure({ secret: SECRET, kdfIterations: 599_999 }),
      () => CredentialEncryption.encrypt(cyclic, 'CANARY-7'),
      () => CredentialEncryption.encrypt({ apiKey: Buffer.from('CANARY-8') }, 'u'),
      () => CredentialEncryption.encrypt({ 'CANARY/~key': new Map([['a', 'CANARY-9']]) }, 'u'),
      () => CredentialEncryption.encrypt('CANARY'.repeat(20_000), 'u'),
      () => CredentialEncryption.encrypt({}, 'CANARY'.repeat(1000)),
      () => CredentialEncryption.encrypt({}, '\ud800CANARY'),
      () => CredentialEncryption.generateUserKey('CANARY'.repeat(100)),
    ];
    const all = [...failures, ...(await Promise.all(inputs.map(failure)))];
    for (const error of all) {
      expect(inspect(error, { depth: 20, showHidden: true }).replaceAll('CANARY/~key', '')).not.toContain('CANARY-');
      expect(error.message.replaceAll('CANARY/~key', '')).not.toContain('CANARYCANARY');
    }
  });

  it('say what credentials and keys may be', async () => {
    const encrypt = (value: unknown) => failure(() => CredentialEncryption.encrypt(value, 'u'));
    const messages = [
      await encrypt(undefined),
      await encrypt({ a: [1, Number.NaN] }),
      await encrypt({ a: { b: new Date(0) } }),
      await encrypt({ a: () => 1 }),
      await encrypt({ a: 1n }),
      await encrypt('x'.repeat(70_000)),
      await failure(() => CredentialEncryption.encrypt({}, '')),
      await failure(() => CredentialEncryption.encrypt({}, 7 as never)),
      await failure(() => CredentialEncryption.configure({ secret: 'short' })),
      await failure(() => CredentialEncryption.configure({ secret: SECRET, kdfIterations: 1000 })),
    ];
    expect(messages.map(({ code, message }) => [code, message])).toMatchInlineSnapshot(`
      [
        [
          "INVALID_INPUT",
          "The credentials take JSON values only. Got nothing.",
        ],
        [
          "INVALID_INPUT",
          "The credentials at /a/1 take JSON values only. Got a number that is not finite.",
        ],
        [
          "INVALID_INPUT",
          "The credentials at /a/b take JSON values only. Got an instance of Date.",
        ],
        [
          "INVALID_INPUT",
          "The credentials at /a take JSON values only. Got a function.",
        ],
        [
          "INVALID_INPUT",
          "The credentials at /a take JSON values only. Got a bigint.",
        ],
        [
          "INVALID_INPUT",
          "The credentials take at most 65536 bytes as JSON. Got 70002.",
        ],
        [
          "INVALID_INPUT",
          "userKey takes a text of 1 to 4096 characters. Got 0 characters.",
        ],
        [
          "INVALID_INPUT",
          "userKey takes a text of 1 to 4096 characters. Got a value of type number.",
        ],
        [
          "INVALID_INPUT",
          "secret takes a text of 32 to 4096 characters. Got 5 characters.",
        ],
        [
          "INVALID_INPUT",
          "kdfIterations takes a whole number from 600000 to 10000000.",
        ],
      ]
    `);
  });
});
