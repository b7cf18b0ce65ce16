import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundJson } from '../../src/audit/boundedJson.ts';
import { describeChange } from '../../src/audit/describeChange.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { Redactor } from '../../src/redaction/redactor.ts';
import { isSecretName } from '../../src/redaction/secretNames.ts';

describe('the description of a change', () => {
  it('has of both sides what differs, and names a secret without showing it', () => {
    const before = { name: 'a', tags: ['x', { b: 1, a: 2 }], password: 'old', same: { k: 1 }, gone: true };
    const after = { name: 'b', tags: ['x', { a: 2, b: 1 }], password: 'new', same: { k: 1 }, added: null };
    expect(describeChange(before, after)).toEqual({
      before: { name: 'a', password: '[redacted]', gone: true },
      after: { name: 'b', password: '[redacted]', added: null },
    });
    expect(describeChange(null, { apiKey: 'k', name: 'n' })).toEqual({ after: { apiKey: '[redacted]', name: 'n' } });
    expect(describeChange({ name: 'n' }, null)).toEqual({ before: { name: 'n' } });
  });

  it('is empty where nothing changed', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const copy = structuredClone(object) as JsonObject;
        expect(describeChange(object as JsonObject, copy)).toEqual({ before: {}, after: {} });
      }),
    );
  });
});

describe('redaction', () => {
  it('knows secrets by their names, and lets through what only tells about them', () => {
    const secret = [
      'password',
      'newPassword',
      'client_secret',
      'accessToken',
      'Authorization',
      'set-cookie',
      'api_key',
      'apiKey',
      'privateKey',
      'totp',
      'recoveryCodes',
      'credentials',
      'secret_envelope',
    ];
    const open = [
      'name',
      'tokenUrl',
      'apiKeyId',
      'secretChangedAt',
      'tokenCount',
      'credentialFields',
      'passwordRequired',
      'key',
      'monkey',
    ];
    expect(secret.filter((name) => !isSecretName(name))).toEqual([]);
    expect(open.filter(isSecretName)).toEqual([]);
  });

  it('finds a known secret wherever it stands', () => {
    const known = 'known-secret-0123';
    const redactor = new Redactor([known]);
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.nat(3), (left, right, place) => {
        const text = `${left}${known}${right}`;
        const object: JsonObject = [{ a: text }, { a: [text] }, { a: { b: { c: text } } }, { [text]: 1 }][place]!;
        expect(JSON.stringify(redactor.object(object))).not.toContain(known);
      }),
    );
  });

  it.each([
    ['a bearer token', 'sent Authorization: Bearer abcdef0123456789'],
    ['a JWT', 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1c2VyIn0.c2lnbmF0dXJl'],
    ['an API key of ours', 'isk_abcdefghijklmnopqrstuvwxyz'],
    ['a private key', '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----'],
  ])('finds %s', (_name, text) => {
    expect(new Redactor().text(`before ${text} after`)).toMatch(/^before .*\[redacted\] after$/s);
  });
});

it('whatever is recorded stays within its bounds, and says when something is missing', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ maxLength: 300 }), fc.jsonValue({ maxDepth: 20 })),
      fc.integer({ min: 200, max: 3_000 }),
      (object, maxBytes) => {
        const bounded = JSON.stringify(boundJson(object as JsonObject, maxBytes));
        expect(Buffer.byteLength(bounded)).toBeLessThanOrEqual(maxBytes);
        if (bounded.length < JSON.stringify(object).length / 2) expect(bounded).toContain('[cut');
      },
    ),
    { numRuns: 300 },
  );
});
