import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePath, valueAt, valuesAt, withoutValue, withValue } from '../../src/connectors/jsonPath.ts';

const value = {
  data: { items: [{ id: 1 }, { id: 2 }], 'odd key': { 'a.b': 3 } },
  groups: { x: { users: [1, 2] }, y: { users: [3] }, z: {} },
};

describe('a path', () => {
  it.each([
    ['$', value],
    ['data.items', value.data.items],
    ['$.data.items[1].id', 2],
    ['data.items[5].id', undefined],
    ["data['odd key']['a.b']", 3],
    ['data["odd key"]', { 'a.b': 3 }],
    ['groups.*.users', [1, 2]],
    ['data.items.length', undefined],
    ['data.constructor', undefined],
    ['nothing.at.all', undefined],
  ])('%s', (path, found) => {
    expect(valueAt(value, parsePath(path))).toEqual(found);
  });

  it('with wildcards gives every value in order', () => {
    expect(valuesAt(value, parsePath('groups.*.users[*]'))).toEqual([1, 2, 3]);
    expect(valuesAt(value, parsePath('data.items[*].id'))).toEqual([1, 2]);
  });

  it.each(['a..b', '.', 'a.', 'a[', 'a[-1]', 'a[x]', 'a b', '[]', "['a", '$x y', '__proto__', "a['__proto__']"])(
    '%s is none',
    (text) => {
      expect(() => parsePath(text)).toThrow(SyntaxError);
    },
  );

  it('sets and removes without touching the original', () => {
    const original = structuredClone(value);
    expect(withValue({ a: 1 }, parsePath('b.c'), 2)).toEqual({ a: 1, b: { c: 2 } });
    expect(withoutValue({ a: { b: 1, c: 2 } }, parsePath('a.b'))).toEqual({ a: { c: 2 } });
    expect(withoutValue({ a: 1 }, parsePath('a.b'))).toEqual({ a: 1 });
    withValue(value, parsePath('data.items'), 0);
    expect(value).toEqual(original);
  });

  it('to any key finds what was set there, and not what was removed', () => {
    const key = fc.stringMatching(/^[^'\\]{1,8}$/).filter((text) => text !== '__proto__');
    fc.assert(
      fc.property(fc.array(key, { minLength: 1, maxLength: 4 }), fc.integer(), (keys, number) => {
        const path = parsePath(keys.map((one) => `['${one}']`).join(''));
        const set = withValue({}, path, number);
        expect(valueAt(set, path)).toBe(number);
        expect(valueAt(withoutValue(set, path), path)).toBeUndefined();
      }),
    );
  });
});
