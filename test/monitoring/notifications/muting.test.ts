import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FiringAlert } from '../../../src/monitoring/notifications/inhibition.ts';
import { type Matcher, matchersSchema, matchesAll } from '../../../src/monitoring/notifications/labelMatchers.ts';
import { cronFault, isOpen, nextBeginning } from '../../../src/monitoring/notifications/maintenanceTimes.ts';
import { Muter } from '../../../src/monitoring/notifications/muting.ts';

describe('matchers', () => {
  it.each<[Matcher['op'], string, string | undefined, boolean]>([
    ['=', 'x', 'x', true],
    ['=', 'x', 'xy', false],
    ['=', '', undefined, true],
    ['!=', 'x', undefined, true],
    ['!=', 'x', 'x', false],
    ['=~', 'x.*', 'xyz', true],
    ['=~', 'y', 'xyz', false],
    ['=~', 'a|b', 'b', true],
    ['=~', 'a|b', 'ab', false],
    ['=~', '.*', undefined, true],
    ['!~', 'x.+', 'x', true],
    ['!~', 'x.*', 'x', false],
  ])('%s %j on %j is %s', (op, value, label, expected) => {
    expect(matchesAll([{ label: 'l', op, value }], label === undefined ? {} : { l: label })).toBe(expected);
  });

  it('negate each other, whatever the texts', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (value, label) => {
        const of = (op: '=' | '!=') => matchesAll([{ label: 'l', op, value }], { l: label });
        expect(of('=')).toBe(!of('!='));
      }),
    );
  });

  it('take no pattern that could run long, and no label that could not exist', () => {
    expect(matchersSchema.safeParse([{ label: 'a', op: '=~', value: '(a+)+\\1' }]).success).toBe(false);
    expect(matchersSchema.safeParse([{ label: 'a', op: '=~', value: '(' }]).success).toBe(false);
    expect(matchersSchema.safeParse([{ label: 'a-b', op: '=', value: '' }]).success).toBe(false);
    // Would take exponential time with an engine that goes back.
    const slow: Matcher = { label: 'l', op: '=~', value: '(a*)*b' };
    expect(matchesAll([slow], { l: 'a'.repeat(2_000) })).toBe(false);
  });
});

describe('maintenance windows', () => {
  const at = (text: string) => Date.parse(text);

  it('are open from their first moment to before their last', () => {
    const times = { startsAtMs: at('2026-03-01T10:00Z'), endsAtMs: at('2026-03-01T11:00Z') };
    const open = ['09:59:59', '10:00:00', '10:59:59', '11:00:00'].map((time) =>
      isOpen(times, at(`2026-03-01T${time}Z`)),
    );
    expect(open).toEqual([false, true, true, false]);
  });

  it('recur in their time zone, over changes of the clock', () => {
    const times = { cron: '30 1 * * 7', timezone: 'Europe/Berlin', durationMs: 3 * 3_600_000 };
    // Clocks go forward on 2026-03-29 at 02:00: 01:30 is 00:30 UTC.
    expect(isOpen(times, at('2026-03-29T00:29:59Z'))).toBe(false);
    expect(isOpen(times, at('2026-03-29T00:30:00Z'))).toBe(true);
    expect(isOpen(times, at('2026-03-29T03:29:59Z'))).toBe(true);
    expect(isOpen(times, at('2026-03-29T03:30:00Z'))).toBe(false);
    // In summer it is 23:30 UTC the day before.
    expect(isOpen(times, at('2026-04-04T23:30:00Z'))).toBe(true);
    expect(isOpen(times, at('2026-04-04T22:30:00Z'))).toBe(false);
    expect(nextBeginning(times, at('2026-03-29T12:00:00Z'))).toBe(at('2026-04-04T23:30:00Z'));
  });

  it('say what is wrong with their times', () => {
    expect(cronFault('0 2 * * 7', 'Europe/Berlin')).toBeNull();
    expect(cronFault('* * *', 'UTC')).toContain('five fields');
    expect(cronFault('0 2 * * 7', 'Nowhere/Atall')).toContain('time zone');
    expect(cronFault('0 0 31 2 *', 'UTC')).toContain('no time that ever comes');
  });
});

describe('what mutes', () => {
  const rule = {
    id: 'r',
    sourceMatchers: [{ label: 'role', op: '=', value: 'cause' } as const],
    targetMatchers: [{ label: 'role', op: '=~', value: 'effect|cause' } as const],
    equal: ['site'],
    lingerMs: 0,
  };
  const source = (labels: Record<string, string>, endsAtMs: number | null = null) => ({
    key: 'cause',
    labels,
    endsAtMs,
  });
  const inhibition = (labels: Record<string, string>, alert: FiringAlert, inhibitions = [rule], nowMs = 0) =>
    new Muter({ silences: [], maintenance: [], inhibitions }, [alert], nowMs).mutesOf(labels).inhibitedBy;

  it('is the source of the same place only, where a label that both lack is the same', () => {
    const cause = { rule: 'r', alert: 'cause' };
    expect(inhibition({ role: 'effect', site: 'a' }, source({ role: 'cause', site: 'a' }))).toEqual(cause);
    expect(inhibition({ role: 'effect', site: 'a' }, source({ role: 'cause', site: 'b' }))).toBeNull();
    expect(inhibition({ role: 'effect' }, source({ role: 'cause' }))).toEqual(cause);
    expect(inhibition({ role: 'other', site: 'a' }, source({ role: 'cause', site: 'a' }))).toBeNull();
  });

  it('is never an alert itself, nor another one that is source and target as well', () => {
    expect(inhibition({ role: 'cause', site: 'a' }, source({ role: 'cause', site: 'a' }))).toBeNull();
  });

  it('is a source that ended only as long as the rule lingers', () => {
    const ended = source({ role: 'cause' }, 1_000);
    const lingering = [{ ...rule, lingerMs: 500 }];
    const at = (nowMs: number, rules = lingering) => inhibition({ role: 'effect' }, ended, rules, nowMs) !== null;
    expect([at(1_000), at(1_499), at(1_500), at(1_000, [rule])]).toEqual([true, true, false, false]);
  });
});
