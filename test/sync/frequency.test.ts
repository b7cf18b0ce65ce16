import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvalidInputError } from '../../src/core/errors.ts';
import { newId } from '../../src/core/ids.ts';
import { nextDue, parseFrequency } from '../../src/sync/frequency.ts';

const HOUR_MS = 3_600_000;
const ID = newId('integration');

function times(text: string, timezone: string, from: string, count: number): string[] {
  const frequency = parseFrequency(text, timezone);
  const found: string[] = [];
  let at = Date.parse(from);
  for (let index = 0; index < count; index++) {
    at = nextDue(frequency, ID, at)!;
    found.push(new Date(at).toISOString());
  }
  return found;
}

function problem(text: string, timezone?: string): string {
  try {
    parseFrequency(text, timezone);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidInputError);
    return (error as InvalidInputError).problems.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('\n');
  }
  throw new Error(`${text} was taken`);
}

describe('words and intervals', () => {
  test.each([
    ['realtime', 30_000],
    ['minutely', 60_000],
    ['hourly', HOUR_MS],
    ['daily', 24 * HOUR_MS],
    ['weekly', 7 * 24 * HOUR_MS],
    ['90s', 90_000],
    ['15m', 900_000],
    ['2h', 2 * HOUR_MS],
    ['1d', 24 * HOUR_MS],
    ['1w', 7 * 24 * HOUR_MS],
    [' Hourly ', HOUR_MS],
  ])('%s', (text, everyMs) => {
    expect(parseFrequency(text)).toEqual({ kind: 'interval', everyMs });
  });

  test('manual is never due', () => {
    expect(nextDue(parseFrequency('manual'), ID, Date.now())).toBeNull();
  });

  test('an interval is due once in every interval, at the phase of its integration', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 10_000 }),
        fc.integer({ min: 0, max: 4e12 }),
        fc.uuid(),
        (seconds, afterMs, integrationId) => {
          const frequency = parseFrequency(`${seconds}s`);
          const due = nextDue(frequency, integrationId, afterMs)!;
          expect(due).toBeGreaterThan(afterMs);
          expect(due - afterMs).toBeLessThanOrEqual(seconds * 1000);
          expect(nextDue(frequency, integrationId, due)).toBe(due + seconds * 1000);
          expect(nextDue(frequency, integrationId, due - 1)).toBe(due);
        },
      ),
    );
  });

  test('many hourly integrations are spread over the hour', () => {
    const frequency = parseFrequency('hourly');
    const bySecond = new Map<number, number>();
    for (let index = 0; index < 20_000; index++) {
      const second = Math.floor((nextDue(frequency, newId('integration'), 0)! % HOUR_MS) / 1000);
      bySecond.set(second, (bySecond.get(second) ?? 0) + 1);
    }
    // 5.6 a second on average.
    expect(Math.max(...bySecond.values())).toBeLessThan(30);
  });
});

describe('cron', () => {
  test('fires at exactly the written times of its timezone', () => {
    expect(times('30 6 * * 1-5', 'America/New_York', '2026-01-02T00:00:00Z', 2)).toEqual([
      '2026-01-02T11:30:00.000Z',
      '2026-01-05T11:30:00.000Z',
    ]);
    expect(times('0 0 29 2 *', 'UTC', '2026-01-01T00:00:00Z', 1)).toEqual(['2028-02-29T00:00:00.000Z']);
  });

  test('a time that the clocks skip in spring fires once, right after the gap', () => {
    expect(times('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2)).toEqual([
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ]);
    // Half an hour of summer time on Lord Howe Island.
    expect(times('15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T00:00:00Z', 2)).toEqual([
      '2026-10-03T15:30:00.000Z',
      '2026-10-04T15:15:00.000Z',
    ]);
    // Midnight itself is skipped.
    expect(times('30 0 * * *', 'America/Sao_Paulo', '2018-11-03T12:00:00Z', 1)).toEqual(['2018-11-04T03:00:00.000Z']);
  });

  test('a time that comes twice in autumn fires once', () => {
    expect(times('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ]);
    expect(times('0,30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 3)).toEqual([
      '2026-10-25T00:00:00.000Z',
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:00:00.000Z',
    ]);
  });

  test('steps mean elapsed time, so both of the doubled hours count', () => {
    expect(times('*/30 * * * *', 'Europe/Berlin', '2026-10-25T00:00:00Z', 4)).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-25T01:00:00.000Z',
      '2026-10-25T01:30:00.000Z',
      '2026-10-25T02:00:00.000Z',
    ]);
  });

  test('the next time is always later, in any timezone and at any moment', () => {
    const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu'];
    fc.assert(
      fc.property(
        fc.constantFrom('30 2 * * *', '*/7 * * * *', '0 0 1 * *', '15 1,2,3 * * 0', '59 23 * * *'),
        fc.constantFrom(...zones),
        fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2040, 0) }),
        (text, zone, afterMs) => {
          const due = nextDue(parseFrequency(text, zone), ID, afterMs)!;
          expect(due).toBeGreaterThan(afterMs);
          expect(nextDue(parseFrequency(text, zone), ID, due)!).toBeGreaterThan(due);
        },
      ),
    );
  });
});

describe('what is refused says why', () => {
  test.each([
    [
      'Hourli',
      /"Hourli" is not a frequency\. Did you mean "hourly"\? It takes realtime, .*interval such as "15m".*cron/,
    ],
    ['5s', /"5s" is too short: the shortest interval is "10s"/],
    ['400d', /"400d" is too long: the longest interval is "366d"/],
    ['1h30', /is not a frequency/],
    ['', /is not a frequency/],
    ['* * *', /has 3 fields; a cron expression has five: minute, hour, day of month, month, day of week/],
    ['0 * * * * *', /has 6 fields/],
    ['60 * * * *', /is not a cron expression: Invalid value for minute: 60/],
    ['? * * * *', /write "\*" in place of "\?"/],
    ['0 0 30 2 *', /never comes: no date fits it/],
  ])('%j', (text, message) => {
    expect(problem(text)).toMatch(/^\/syncFrequency: /);
    expect(problem(text)).toMatch(message);
  });

  test('a timezone that is none, together with the frequency', () => {
    expect(problem('hourl', 'Mars/Olympus')).toMatch(
      /^\/timezone: "Mars\/Olympus" is not a timezone\. Take an IANA name.*\n\/syncFrequency: "hourl" is not/,
    );
  });
});
