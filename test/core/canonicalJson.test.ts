import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, JsonTooDeepError, storableText } from '../../src/core/canonicalJson.ts';
import type { JsonValue } from '../../src/core/json.ts';

/** Any JSON, its names and texts full of what needs escaping or sorts unusually. */
const awkwardText = fc.oneof(
  fc.string({ unit: 'binary' }).filter((text) => !text.includes('\u0000')),
  fc.constantFrom(
    '__proto__',
    'constructor',
    '10',
    '9',
    '-1',
    '',
    '\u20ac',
    '\ud83d\ude00',
    '\ufb33',
    '\r',
    '"',
    '\\u0000',
  ),
);
const anyJson = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(null, true, false),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    awkwardText,
    fc.array(tie('value'), { maxLength: 5 }),
    fc
      .array(fc.tuple(awkwardText, tie('value')), { maxLength: 6 })
      // As JSON.parse does it: `__proto__` is a member like any other.
      .map((entries) => JSON.parse(`{${entries.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join()}}`)),
  ),
})).value as fc.Arbitrary<JsonValue>;

describe('the canonical form', () => {
  test('is that of the reference implementation', () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        expect(canonicalJson(value)).toEqual({ text: canonicalize(value), replaced: false });
      }),
      { numRuns: 2_000 },
    );
  });

  test('does not depend on the order of members', () => {
    const shuffled = (value: JsonValue): JsonValue => {
      if (Array.isArray(value)) return value.map(shuffled);
      if (value === null || typeof value !== 'object') return value;
      const members = Object.entries(value).reverse();
      return JSON.parse(`{${members.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(shuffled(v))}`).join()}}`);
    };
    fc.assert(
      fc.property(anyJson, (value) => {
        expect(canonicalJson(shuffled(value))).toEqual(canonicalJson(value));
      }),
    );
  });

  test('the example of RFC 8785, section 3.2.2', () => {
    const value = JSON.parse(
      String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
    );
    expect(canonicalJson(value).text).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });
});

describe('what PostgreSQL cannot store', () => {
  test('is replaced, and told', () => {
    const value = { 'a\u0000': 'b\u0000c', lone: '\ud800x', pair: '\ud83d\ude00', list: ['\udc00'] };
    expect(canonicalJson(value)).toEqual({
      text: '{"a\ufffd":"b\ufffdc","list":["\ufffd"],"lone":"\ufffdx","pair":"\ud83d\ude00"}',
      replaced: true,
    });
    expect(canonicalJson(JSON.parse('[1e400, -1e400, 1e308]'))).toEqual({ text: '[null,null,1e+308]', replaced: true });
  });

  test('an escape that only looks like one stays', () => {
    const value = { text: '\\u0000 and \u0001' };
    expect(canonicalJson(value)).toEqual({ text: JSON.stringify(value), replaced: false });
  });

  test('any text becomes storable, and one that is stays the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) }), (text) => {
        const storable = storableText(text);
        expect(storable.isWellFormed()).toBe(true);
        expect(storable).not.toContain('\u0000');
        expect(storableText(storable)).toBe(storable);
        if (text.isWellFormed() && !text.includes('\u0000')) expect(storable).toBe(text);
      }),
    );
  });

  test('what is nested too deep is refused instead of overflowing the stack', () => {
    const nested = (depth: number) => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as JsonValue;
    expect(canonicalJson(nested(500)).text).toHaveLength(1000);
    expect(() => canonicalJson(nested(501))).toThrow(JsonTooDeepError);
    expect(() => canonicalJson(nested(100_000))).toThrow(JsonTooDeepError);
  });
});
