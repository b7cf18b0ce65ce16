import { describe, expect, it } from 'vitest';
import {
  dueAtMs,
  EMPTY_GROUP,
  type FlushContext,
  flush,
  putAlert,
} from '../../../src/monitoring/notifications/groupMachine.ts';
import { Muter, type SilenceRule } from '../../../src/monitoring/notifications/muting.ts';
import type { EscalationStep, GroupState, GroupTiming, Notice } from '../../../src/monitoring/notifications/types.ts';
import { DEFAULT_TIMING } from '../../../src/monitoring/notifications/types.ts';
import { labelsOf, TIMELINE_TIMING, TIMELINES, type TimelineEvent } from './timelines.ts';

const INHIBITION = {
  id: 'inhibition',
  sourceMatchers: [{ label: 'role', op: '=', value: 'source' } as const],
  targetMatchers: [{ label: 'role', op: '=', value: 'target' } as const],
  equal: ['team'],
  lingerMs: 0,
};

type Event = TimelineEvent | readonly [atS: number, kind: 'acknowledge' | 'unacknowledge', alert: string];

interface Replay {
  readonly events: readonly Event[];
  readonly untilS: number;
  readonly timing?: GroupTiming;
  readonly steps?: readonly EscalationStep[];
  readonly wantsResolved?: boolean;
}

/** Lets time pass from one moment in which something happens to the next. */
function replay({ events, untilS, timing = TIMELINE_TIMING, steps = [], wantsResolved = true }: Replay) {
  let state: GroupState = EMPTY_GROUP;
  let due: number | null = null;
  const silences: SilenceRule[] = [];
  const acknowledged = new Set<string>();
  const told: (Notice & { atS: number })[] = [];
  const waiting = [...events];
  for (;;) {
    const eventMs = (waiting[0]?.[0] ?? Number.POSITIVE_INFINITY) * 1000;
    const nowMs = Math.min(eventMs, due ?? Number.POSITIVE_INFINITY);
    if (nowMs > untilS * 1000) return told;
    if (eventMs === nowMs) {
      const [atS, kind, alert, silencedUntilS] = waiting.shift()! as readonly [number, string, string, number?];
      const matchers = [{ label: 'alertname', op: '=', value: alert } as const];
      if (kind === 'silence') silences.push({ id: 's', matchers, startsAtMs: nowMs, endsAtMs: silencedUntilS! * 1000 });
      else if (kind === 'acknowledge') acknowledged.add(alert);
      else if (kind === 'unacknowledge') {
        acknowledged.delete(alert);
        due = nowMs;
      } else {
        const known = state.alerts.get(alert);
        const changed = {
          fingerprint: alert,
          labels: labelsOf(alert),
          annotations: {},
          value: 1,
          startsAtMs: kind === 'fire' ? atS * 1000 : known!.startsAtMs,
          endsAtMs: kind === 'fire' ? null : nowMs,
        };
        state = putAlert(state, changed, timing, nowMs);
        due = dueAtMs(state, steps, nowMs);
      }
      continue;
    }
    const firing = [...state.alerts.values()].map((alert) => ({ ...alert, key: alert.fingerprint }));
    const muter = new Muter({ silences, maintenance: [], inhibitions: [INHIBITION] }, firing, nowMs);
    const context: FlushContext = {
      nowMs,
      timing,
      channels: ['first'],
      steps,
      muteReason: (alert) => muter.reasonOf(alert.labels),
      isAcknowledged: (alert) => acknowledged.has(alert),
      wantsResolved: () => wantsResolved,
    };
    const flushed = flush(state, context);
    state = flushed.state;
    told.push(...flushed.notices.map((notice) => ({ ...notice, atS: nowMs / 1000 })));
    due = dueAtMs(state, steps, nowMs);
  }
}

const names = (alerts: readonly { readonly fingerprint: string }[]) =>
  alerts
    .map((alert) => alert.fingerprint)
    .sort()
    .join(' ');

const asRows = (told: ReturnType<typeof replay>) =>
  told.map(({ atS, firing, resolved }) => [atS, names(firing), names(resolved)]);
const asReasons = (told: ReturnType<typeof replay>) => told.map(({ atS, channel, reason }) => [atS, channel, reason]);

describe('the notifications of a group are those of Alertmanager:', () => {
  it.each(TIMELINES)('$name', ({ events, untilS, expected }) => {
    expect(asRows(replay({ events, untilS }))).toEqual(expected);
  });
});

describe('reasons and repeats', () => {
  it('say which of the four causes a notification has', () => {
    const told = replay({
      events: [
        [0, 'fire', 'a'],
        [100, 'fire', 'b'],
        [400, 'resolve', 'a'],
        [2500, 'resolve', 'b'],
      ],
      untilS: 4000,
    });
    expect(asReasons(told)).toEqual([
      [30, 'first', 'firing'],
      [330, 'first', 'new_firing'],
      [630, 'first', 'resolved'],
      [1830, 'first', 'repeat'],
      [2730, 'first', 'resolved'],
    ]);
  });

  it('come after exactly four hours by default', () => {
    const told = replay({ events: [[0, 'fire', 'a']], untilS: 3600 * 9, timing: DEFAULT_TIMING });
    expect(told.map(({ atS }) => atS)).toEqual([30, 30 + 4 * 3600, 30 + 8 * 3600]);
  });

  it('do not come while everything that fires is acknowledged', () => {
    const told = replay({
      events: [
        [0, 'fire', 'a'],
        [60, 'acknowledge', 'a'],
        [2000, 'fire', 'b'],
        [6000, 'unacknowledge', 'a'],
        [6001, 'resolve', 'b'],
      ],
      untilS: 7600,
    });
    expect(asReasons(told)).toEqual([
      [30, 'first', 'firing'],
      [2130, 'first', 'new_firing'],
      [3330, 'first', 'repeat'],
      [4530, 'first', 'repeat'],
      [5730, 'first', 'repeat'],
      [6030, 'first', 'resolved'],
      [7230, 'first', 'repeat'],
    ]);
  });

  it('leave out what is over for a channel that does not want to hear of it, and begin anew after it', () => {
    const told = replay({
      events: [
        [0, 'fire', 'a'],
        [100, 'resolve', 'a'],
        [500, 'fire', 'a'],
      ],
      untilS: 600,
      wantsResolved: false,
    });
    expect(asRows(told)).toEqual([
      [30, 'a', ''],
      [530, 'a', ''],
    ]);
  });
});

describe('escalation', () => {
  const steps = [
    { afterMs: 600_000, channels: ['second'] },
    { afterMs: 1_200_000, channels: ['third', 'first'] },
  ];

  it('calls the next ones until somebody acknowledges, and tells whoever was called of the end', () => {
    const told = replay({
      events: [
        [0, 'fire', 'a'],
        [700, 'acknowledge', 'a'],
        [2000, 'resolve', 'a'],
      ],
      untilS: 4000,
      steps,
    });
    expect(asReasons(told)).toEqual([
      [30, 'first', 'firing'],
      [630, 'second', 'escalation'],
      [2130, 'first', 'resolved'],
      [2130, 'second', 'resolved'],
    ]);
  });

  it('goes through every step, to a channel that was told before as well', () => {
    const told = replay({ events: [[0, 'fire', 'a']], untilS: 1300, steps });
    expect(asReasons(told)).toEqual([
      [30, 'first', 'firing'],
      [630, 'second', 'escalation'],
      [1230, 'third', 'escalation'],
      [1230, 'first', 'escalation'],
    ]);
  });

  it('goes on when an acknowledgement is taken back, and begins anew with the next time', () => {
    const told = replay({
      events: [
        [0, 'fire', 'a'],
        [100, 'acknowledge', 'a'],
        [800, 'unacknowledge', 'a'],
        [900, 'resolve', 'a'],
        [1000, 'fire', 'a'],
        [1100, 'resolve', 'a'],
        [1500, 'fire', 'a'],
      ],
      untilS: 2200,
      steps,
    });
    expect(asReasons(told)).toEqual([
      [30, 'first', 'firing'],
      [800, 'second', 'escalation'],
      [930, 'first', 'resolved'],
      [930, 'second', 'resolved'],
      [1030, 'first', 'firing'],
      [1330, 'first', 'resolved'],
      [1530, 'first', 'firing'],
      [2130, 'second', 'escalation'],
    ]);
  });
});
