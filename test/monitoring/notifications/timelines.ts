/** What happens to alerts, and every notification that is to come of it. Times are seconds from the beginning. */
export interface Timeline {
  readonly name: string;
  readonly events: readonly TimelineEvent[];
  readonly untilS: number;
  /** When, what fires, what is told to be resolved. */
  readonly expected: readonly (readonly [atS: number, firing: string, resolved: string])[];
}

export type TimelineEvent =
  | readonly [atS: number, kind: 'fire' | 'resolve', alert: string]
  /** Silences the alert. */
  | readonly [atS: number, kind: 'silence', alert: string, untilS: number];

/** 1/30 of them is what the real Alertmanager is given in the slow tests. */
export const TIMELINE_TIMING = { groupWaitMs: 30_000, groupIntervalMs: 300_000, repeatIntervalMs: 1_100_000 };

/**
 * Alerts of one group, named by letters; `S` is a source that inhibits the alert `T` (rule: source `role="source"`,
 * target `role="target"`, equal: the group's label).
 */
export const TIMELINES: readonly Timeline[] = [
  {
    name: 'waits for the group before the first notification',
    events: [
      [0, 'fire', 'a'],
      [15, 'fire', 'b'],
    ],
    untilS: 290,
    expected: [[30, 'a b', '']],
  },
  {
    name: 'says nothing of what was over before the wait was',
    events: [
      [0, 'fire', 'a'],
      [15, 'resolve', 'a'],
    ],
    untilS: 700,
    expected: [],
  },
  {
    name: 'tells of an alert that joins at the next interval',
    events: [
      [0, 'fire', 'a'],
      [100, 'fire', 'b'],
    ],
    untilS: 900,
    expected: [
      [30, 'a', ''],
      [330, 'a b', ''],
    ],
  },
  {
    name: 'tells of the end at the next interval, once',
    events: [
      [0, 'fire', 'a'],
      [100, 'resolve', 'a'],
    ],
    untilS: 1500,
    expected: [
      [30, 'a', ''],
      [330, '', 'a'],
    ],
  },
  {
    name: 'tells of a part that ended while the rest goes on',
    events: [
      [0, 'fire', 'a'],
      [0, 'fire', 'b'],
      [100, 'resolve', 'a'],
    ],
    untilS: 900,
    expected: [
      [30, 'a b', ''],
      [330, 'b', 'a'],
    ],
  },
  {
    name: 'says nothing of a break within one interval',
    events: [
      [0, 'fire', 'a'],
      [100, 'resolve', 'a'],
      [200, 'fire', 'a'],
    ],
    untilS: 1000,
    expected: [[30, 'a', '']],
  },
  {
    name: 'tells anew of what ended, was told to have, and comes again',
    events: [
      [0, 'fire', 'a'],
      [100, 'resolve', 'a'],
      [450, 'fire', 'a'],
    ],
    untilS: 700,
    expected: [
      [30, 'a', ''],
      [330, '', 'a'],
      [480, 'a', ''],
    ],
  },
  {
    name: 'repeats at the first interval after the repeat interval',
    events: [[0, 'fire', 'a']],
    untilS: 2700,
    expected: [
      [30, 'a', ''],
      [1230, 'a', ''],
      [2430, 'a', ''],
    ],
  },
  {
    name: 'counts the repeat interval from the last notification, whatever it told of',
    events: [
      [0, 'fire', 'a'],
      [400, 'fire', 'b'],
    ],
    untilS: 2100,
    expected: [
      [30, 'a', ''],
      [630, 'a b', ''],
      [1830, 'a b', ''],
    ],
  },
  {
    name: 'tells of the end of an alert that came and went within one interval of a group that goes on',
    events: [
      [0, 'fire', 'a'],
      [60, 'fire', 'b'],
      [200, 'resolve', 'b'],
    ],
    untilS: 900,
    expected: [
      [30, 'a', ''],
      [330, 'a', 'b'],
    ],
  },
  {
    name: 'keeps what is silenced from the beginning to itself until the silence ends',
    events: [
      [0, 'silence', 'a', 450],
      [5, 'fire', 'a'],
    ],
    untilS: 900,
    expected: [[635, 'a', '']],
  },
  {
    name: 'leaves a silenced alert out of what is told of its group, and does not call that an end',
    events: [
      [0, 'fire', 'a'],
      [0, 'fire', 'b'],
      [100, 'silence', 'a', 2000],
      [400, 'fire', 'c'],
    ],
    untilS: 1200,
    expected: [
      [30, 'a b', ''],
      [630, 'b c', ''],
    ],
  },
  {
    name: 'tells anew of an alert whose silence ended after the group was told without it',
    events: [
      [0, 'fire', 'a'],
      [0, 'fire', 'b'],
      [100, 'silence', 'a', 800],
      [400, 'fire', 'c'],
    ],
    untilS: 1200,
    expected: [
      [30, 'a b', ''],
      [630, 'b c', ''],
      [930, 'a b c', ''],
    ],
  },
  {
    name: 'says nothing of the end of what is silenced',
    events: [
      [0, 'fire', 'a'],
      [100, 'silence', 'a', 2000],
      [200, 'resolve', 'a'],
    ],
    untilS: 900,
    expected: [[30, 'a', '']],
  },
  {
    name: 'holds the target back while the source fires',
    events: [
      [0, 'fire', 'S'],
      [5, 'fire', 'T'],
      [400, 'resolve', 'S'],
    ],
    untilS: 1000,
    expected: [
      [30, 'S', ''],
      [630, 'T', 'S'],
    ],
  },
  {
    name: 'holds back, but does not end, a target that was told of before the source',
    events: [
      [0, 'fire', 'T'],
      [100, 'fire', 'S'],
    ],
    untilS: 900,
    expected: [
      [30, 'T', ''],
      [330, 'S', ''],
    ],
  },
];

export function labelsOf(alert: string): Record<string, string> {
  const role = alert === 'S' ? 'source' : alert === 'T' ? 'target' : 'plain';
  return { alertname: alert, role, team: 'shop' };
}
