import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeKey, parseKey } from '../../../src/access/apiKeys/keyFormat.ts';
import { newId } from '../../../src/core/ids.ts';

describe('the text of an API key', () => {
  it('holds its id, a secret of 256 bits and a checksum', () => {
    const id = newId('apiKey');
    const { text, secretHash } = makeKey(id);
    expect(text).toMatch(/^isk_[0-9a-z]{26}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$/);
    expect(parseKey(text)).toEqual({ id, secretHash });
    expect(secretHash).toEqual(createHash('sha256').update(text.split('_')[2]!).digest());
    const secrets = new Set(Array.from({ length: 1_000 }, () => makeKey(id).text));
    expect(secrets.size).toBe(1_000);
  });

  it('is refused with any character changed, left out or put in', () => {
    const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-';
    fc.assert(
      fc.property(
        fc.nat(200),
        fc.constantFrom(...ALPHABET),
        fc.constantFrom('change', 'drop', 'add'),
        (at, char, how) => {
          const { text } = makeKey();
          const place = at % text.length;
          const kept = how === 'add' ? place : place + 1;
          const broken = text.slice(0, place) + (how === 'drop' ? '' : char) + text.slice(kept);
          fc.pre(broken !== text);
          expect(parseKey(broken)).toBeNull();
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('is refused when two neighbours are swapped, and when it is cut off', () => {
    for (let round = 0; round < 50; round++) {
      const { text } = makeKey();
      for (let at = 0; at + 1 < text.length; at++) {
        const swapped = text.slice(0, at) + text[at + 1] + text[at] + text.slice(at + 2);
        if (swapped !== text) expect(parseKey(swapped)).toBeNull();
      }
      for (let length = 0; length < text.length; length++) expect(parseKey(text.slice(0, length))).toBeNull();
    }
  });

  it('is looked for in anything without breaking', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(parseKey(text)).toBeNull();
      }),
    );
  });
});
