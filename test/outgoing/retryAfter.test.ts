import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRetryAfter } from '../../src/outgoing/retryAfter.ts';

const NOW = Date.UTC(2026, 0, 15, 12, 0, 0);

describe('Retry-After', () => {
  it.each([
    ['0', 0],
    ['120', 120_000],
    [' 7 ', 7_000],
    ['1.5', 1_500],
    ['0.0001', 1],
    ['3, 10', 10_000],
    ['Thu, 15 Jan 2026 12:00:30 GMT', 30_000],
    ['Thursday, 15-Jan-26 12:00:30 GMT', 30_000],
    ['Thu Jan 15 12:00:30 2026', 30_000],
    ['Thu Jan  1 12:00:30 2026', 0],
    ['Thu, 15 Jan 2026 11:59:30 GMT', 0],
    ['Mon, 01 Jan 1990 00:00:00 GMT', 0],
  ])('%j asks for %i ms', (value, expected) => {
    expect(parseRetryAfter(value, NOW)).toBe(expected);
  });

  it.each([
    undefined,
    '',
    '-1',
    '-1.5',
    '+5',
    '1e3',
    '0x10',
    '5s',
    'soon',
    'NaN',
    'Infinity',
    '1.2.3',
    '2026-01-15T12:00:30Z',
    'Thu, 15 Jan 2026 12:00:30',
    'Thu, 15 Jan 2026 12:00:30 CET',
    'Thu, 99 Foo 2026 99:00:30 GMT',
    '12:00',
    '1, soon',
  ])('%j asks for nothing', (value) => {
    expect(parseRetryAfter(value, NOW)).toBeUndefined();
  });

  it('takes any date to the second, and any text without failing', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 * 365 * 86_400 }), (seconds) => {
        expect(parseRetryAfter(new Date(NOW + seconds * 1_000).toUTCString(), NOW)).toBe(seconds * 1_000);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        const waitMs = parseRetryAfter(text, NOW);
        expect(waitMs === undefined || waitMs >= 0).toBe(true);
      }),
    );
  });
});
