import { describe, expect, test } from 'vitest';
import { pendingSince } from '../../../src/monitoring/alerts/outage.ts';
import { MINUTE, replay } from './support/timeline.ts';

/** Evaluations that do not take place, each a minute. */
const away = (minutes: number) => Array(minutes).fill('-').join(' ');

describe('evaluations that did not take place', () => {
  test('a few are passed over, as when another replica takes over', () => {
    expect(replay({ forMs: 5 * MINUTE }, '11 11 - - 11 11').states).toBe('PP--PF');
  });

  test('an outage begins a short `for` anew', () => {
    // Prometheus: nothing is restored where `for` is shorter than the grace period (--rules.alert.for-grace-period).
    expect(replay({ forMs: 5 * MINUTE }, `11 11 ${away(5)} 11 11 11 11 11 11`).states).toBe('PP-----PPPPPF');
  });

  test('what fires, fires on over an outage, and is resolved by the first value after it', () => {
    expect(replay({}, `11 ${away(90)} 11 5`)).toMatchObject({ told: ['began@0', 'ended@92'] });
  });

  test('recovering is measured by the clock', () => {
    expect(replay({ keepFiringForMs: 5 * MINUTE }, `11 5 ${away(6)} 5`).told).toEqual(['began@0', 'ended@8']);
  });
});

// What group.RestoreForState of Prometheus' rules/group.go does, and its test (TestForStateRestore in rules/manager_test.go)
// expects: a rule with `for: 30m`, evaluated every minute, grace period 10m, tolerance 1h.
describe('how long a pending alert still waits after an outage', () => {
  const FOR = 30 * MINUTE;
  const waits = (pendingMinutes: number, downMinutes: number, forMs = FOR) => {
    const previousAt = pendingMinutes * MINUTE;
    const now = previousAt + downMinutes * MINUTE;
    return (forMs - (now - pendingSince({ forMs, intervalMs: MINUTE }, 0, previousAt, now))) / MINUTE;
  };

  test.each([
    ['the time away does not count', 15, 10, 15],
    ['at least the grace period is left', 25, 10, 10],
    ['what has waited long enough fires at once', 30, 10, -10],
    ['a longer outage than tolerated begins anew', 15, 61, 30],
    ['just tolerated', 15, 60, 15],
  ])('%s', (_name, pendingMinutes, downMinutes, left) => {
    expect(waits(pendingMinutes, downMinutes)).toBe(left);
  });

  test('`for` shorter than the grace period begins anew', () => {
    expect(waits(9, 10, 9.5 * MINUTE)).toBe(9.5);
  });

  test('without an evaluation before, nothing is moved', () => {
    expect(pendingSince({ forMs: FOR, intervalMs: MINUTE }, 5, null, 1e9)).toBe(5);
  });
});
