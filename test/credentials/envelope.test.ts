import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EnvelopeContext, rewrapEnvelope } from '../../src/credentials/envelope.ts';
import { type EncryptedCredentials, parseEnvelope, writeEnvelope } from '../../src/credentials/envelopeFormat.ts';
import { nodeBackend } from '../../src/credentials/nodeBackend.ts';
import { randomBytes } from '../../src/credentials/sealedBox.ts';
import { webBackend } from '../../src/credentials/webBackend.ts';
import { BACKENDS, CONTEXT, CREDENTIALS, isRefused, open, seal, USER_KEY, wrappingKey } from './envelopes.ts';

/** Sealed once; it must open as long as version 1 is supported. */
const GOLDEN = {
  key: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8',
  envelope:
    '{"version":1,"suite":"HKDF-SHA256.AES-256-GCM.COMMIT","keyId":"key_01","kdf":null,"key":{"salt":"-fBp6wEtAGgzVF1S5FOpGCNvelDjxmNn9yJEftlVhP0","iv":"B1nI-h97VA-zrRAV","commitment":"8lOHHL73IVBUdWA8k2KbUg3h0bzVSN8zjs24fwpYJZc","ciphertext":"xJ9GDauplZuB9M9tSNkS6R07zFnYMDxPD0B3oo7w__84ILqBmscBKbRd-u4Fii8Q"},"data":{"salt":"L3uB4969MipQwC27JNk59q-AqyGDgN8sOmScjT-QVoA","iv":"6i288tammxqnUxpp","commitment":"wkFASb6Sa_IjW6M5BgipauqxDYasRtNLBwJ3Akt0AEI","ciphertext":"AvWM11oxkuVZ5RtKFXUyBvflfalqQi3rqyRppf7LH2wndeEI_rGURVftCxwj27u5lPp9NDG_ZY5acGNRpXHXZea3ALYxwH0eHw8qcS-f8jNvPq3GcVIS-x9uCQ"}}',
};

describe.each([
  { from: nodeBackend, to: nodeBackend },
  { from: nodeBackend, to: webBackend },
  { from: webBackend, to: nodeBackend },
  { from: webBackend, to: webBackend },
])('sealed by the $from.name backend, opened by the $to.name backend', ({ from, to }) => {
  it('gives back any JSON value, through JSON text', async () => {
    const bytes = randomBytes(32);
    const [sealing, opening] = [await wrappingKey(from, bytes), await wrappingKey(to, bytes)];
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const normal: unknown = JSON.parse(JSON.stringify(value));
        const envelope: unknown = JSON.parse(JSON.stringify(await seal(from, sealing, value)));
        expect(await open(to, opening, envelope)).toEqual(normal);
      }),
      { numRuns: 100 },
    );
  });

  it('rewraps the data key without touching the data', async () => {
    const [oldBytes, newBytes] = [randomBytes(32), randomBytes(32)];
    const envelope = await seal(from, await wrappingKey(from, oldBytes));
    const newKey = { ...(await wrappingKey(to, newBytes)), keyId: 'key_02' };
    const parsed = parseEnvelope(envelope)!;
    const rewrapped = await rewrapEnvelope(to, await wrappingKey(to, oldBytes), newKey, USER_KEY, parsed);

    expect(writeEnvelope(rewrapped)).toMatchObject({ keyId: 'key_02', data: envelope.data });
    expect(await open(to, newKey, writeEnvelope(rewrapped))).toEqual(CREDENTIALS);
    const relabelled = { ...envelope, keyId: 'key_02' };
    expect(await isRefused(open(to, newKey, relabelled))).toBe(true);
  });
});

describe.each(BACKENDS)('the envelope of the $name backend', (backend) => {
  it('shares no salt, IV, key or ciphertext with another one of the same credentials', async () => {
    const key = await wrappingKey(backend);
    const texts = (envelope: EncryptedCredentials) => [...Object.values(envelope.key), ...Object.values(envelope.data)];
    const [one, two] = [await seal(backend, key), await seal(backend, key)];
    expect(new Set([...texts(one), ...texts(two)]).size).toBe(16);
  });

  it.each<Partial<EnvelopeContext>>([
    { owner: 'acmf' },
    { integrationId: 'int_02' },
    { field: 'webhook:whk_01' },
    { recordVersion: 4 },
    // The same characters, cut elsewhere.
    { owner: 'acmei', integrationId: 'nt_01' },
    { owner: '', integrationId: 'acmeint_01' },
  ])('is refused in the context %o', async (other) => {
    const key = await wrappingKey(backend);
    const envelope = await seal(backend, key);
    expect(await isRefused(open(backend, key, envelope, { ...CONTEXT, ...other }))).toBe(true);
  });

  it('is refused with another user key, also when it is the only difference', async () => {
    const key = await wrappingKey(backend);
    const envelope = await seal(backend, key);
    for (const userKey of ['user-124', 'user-12', 'User-123', `${USER_KEY}\0`]) {
      expect(await isRefused(open(backend, key, envelope, CONTEXT, userKey))).toBe(true);
    }
  });

  it('is refused with another installation key: the user key alone opens nothing', async () => {
    const envelope = await seal(backend, await wrappingKey(backend));
    expect(await isRefused(open(backend, await wrappingKey(backend), envelope))).toBe(true);
  });

  it('is refused when parts of two envelopes are put together', async () => {
    const key = await wrappingKey(backend);
    const [one, two] = [await seal(backend, key), await seal(backend, key)];
    expect(await isRefused(open(backend, key, { ...one, data: two.data }))).toBe(true);
    expect(await isRefused(open(backend, key, { ...one, key: two.key }))).toBe(true);
    for (const box of ['key', 'data'] as const) {
      for (const field of ['salt', 'iv', 'commitment', 'ciphertext'] as const) {
        const mixed = { ...one, [box]: { ...one[box], [field]: two[box][field] } };
        expect(await isRefused(open(backend, key, mixed)), `${box}.${field}`).toBe(true);
      }
    }
    expect(await isRefused(open(backend, key, { ...one, key: one.data, data: one.key }))).toBe(true);
  });
});

describe('the header', () => {
  const salt = randomBytes(32);
  const kdf = { iterations: 600_000, salt };

  it.each([
    ['version 0', { version: 0 }],
    ['version 2', { version: 2 }],
    ['version "1"', { version: '1' }],
    ['another suite', { suite: 'HKDF-SHA256.AES-128-GCM.COMMIT' }],
    ['a suite without commitment', { suite: 'HKDF-SHA256.AES-256-GCM' }],
    ['no kdf', { kdf: null }],
    ['fewer iterations', { kdf: { name: 'PBKDF2-HMAC-SHA256', iterations: 599_999 } }],
    ['one iteration', { kdf: { name: 'PBKDF2-HMAC-SHA256', iterations: 1 } }],
    ['more iterations', { kdf: { name: 'PBKDF2-HMAC-SHA256', iterations: 600_001 } }],
    ['endless iterations', { kdf: { name: 'PBKDF2-HMAC-SHA256', iterations: Number.MAX_SAFE_INTEGER } }],
    ['another kdf', { kdf: { name: 'PBKDF2-HMAC-SHA1', iterations: 600_000 } }],
    ['another key id', { keyId: 'key_02' }],
  ])('cannot say %s', async (_name, change) => {
    const key = await wrappingKey(nodeBackend, randomBytes(32), kdf);
    const envelope = await seal(nodeBackend, key);
    const changedKdf = 'kdf' in change && change.kdf !== null ? { kdf: { ...envelope.kdf, ...change.kdf } } : {};
    const changed = { ...envelope, ...change, ...changedKdf };
    // With the very key of the envelope, so that it is the header alone that is refused.
    const found = { ...key, keyId: changed.keyId };
    expect(await open(nodeBackend, key, envelope)).toEqual(CREDENTIALS);
    expect(await isRefused(open(nodeBackend, found, changed))).toBe(true);
  });
});

describe('flipping one bit', () => {
  it.each([null, { iterations: 600_000, salt: randomBytes(32) }])(
    'of the JSON text is noticed wherever it is (kdf %o)',
    { timeout: 60_000 },
    async (kdf) => {
      const key = await wrappingKey(nodeBackend, randomBytes(32), kdf);
      const text = Buffer.from(JSON.stringify(await seal(nodeBackend, key)));
      let opened = 0;
      for (let bit = 0; bit < text.length * 8; bit++) {
        text[bit >> 3]! ^= 1 << (bit & 7);
        const envelope = parseJson(text);
        if (envelope !== undefined && !(await isRefused(open(nodeBackend, key, envelope)))) opened += 1;
        text[bit >> 3]! ^= 1 << (bit & 7);
      }
      expect(opened).toBe(0);
      expect(await open(nodeBackend, key, parseJson(text))).toEqual(CREDENTIALS);
    },
  );

  it.each(BACKENDS)('of a binary field is noticed by the $name backend', { timeout: 60_000 }, async (backend) => {
    const key = await wrappingKey(backend);
    const envelope = parseEnvelope(await seal(backend, key))!;
    const flipped = { bits: 0, opened: 0 };
    for (const bytes of [...Object.values(envelope.key), ...Object.values(envelope.data)] as Uint8Array[]) {
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        flipped.bits += 1;
        if (!(await isRefused(open(backend, key, writeEnvelope(envelope))))) flipped.opened += 1;
        bytes[bit >> 3]! ^= 1 << (bit & 7);
      }
    }
    expect(flipped.opened).toBe(0);
    expect(flipped.bits).toBeGreaterThan(2000);
    expect(await open(backend, key, writeEnvelope(envelope))).toEqual(CREDENTIALS);
  });
});

it('opens an envelope of the first release', async () => {
  const key = await wrappingKey(nodeBackend, Buffer.from(GOLDEN.key, 'base64url'));
  expect(await open(nodeBackend, key, JSON.parse(GOLDEN.envelope))).toEqual(CREDENTIALS);
});

function parseJson(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString('utf8'));
  } catch {
    return undefined;
  }
}
