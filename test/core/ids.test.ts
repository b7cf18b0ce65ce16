import { describe, expect, it } from 'vitest';
import { isId, newId } from '../../src/core/ids.ts';

describe('ids', () => {
  it('say what they are and sort by the time they were made', () => {
    const ids = Array.from({ length: 10_000 }, () => newId('integration'));
    expect(ids.every((id) => isId('integration', id))).toBe(true);
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('carry the time as a UUIDv7 does', () => {
    // The first ten characters of the 26 hold the top 48 bits, shifted by the two that pad 128 bits to 130.
    const at = (ms: number) => newId('integration', ms).slice(4, 14);
    expect(at(Date.UTC(2100, 0, 1)) < at(Date.UTC(2100, 0, 2))).toBe(true);
  });

  it('are of one kind only', () => {
    expect(isId('webhook', newId('integration'))).toBe(false);
    expect(isId('integration', 'int_')).toBe(false);
    expect(isId('integration', `${newId('integration')}0`)).toBe(false);
  });
});
