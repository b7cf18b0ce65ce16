import { expect, test } from 'vitest';
import type { StateRule } from '../../../src/monitoring/alerts/stateMachine.ts';
import { MINUTE, replay } from './support/timeline.ts';

interface Case {
  readonly name: string;
  /** Where the behaviour is documented; that of Prometheus also by promtool in promtool.slow.test.ts. */
  readonly as?: string;
  readonly rule: Partial<StateRule>;
  readonly timeline: string;
  readonly states: string;
  readonly told: readonly string[];
}

const FOR_3: Partial<StateRule> = { forMs: 3 * MINUTE };
const KEEP_3: Partial<StateRule> = { keepFiringForMs: 3 * MINUTE };

const CASES: readonly Case[] = [
  {
    name: 'without `for` it fires at the first breach and resolves at the first value that breaches no more',
    as: 'prometheus.io/docs/prometheus/latest/configuration/alerting_rules: "Elements without the for clause become active on the next evaluation"',
    rule: {},
    timeline: '5 11 12 10 9',
    states: 'nFFnn',
    told: ['began@1', 'ended@3'],
  },
  {
    name: '`for` is waited as pending, and reached when the condition has held for all of it',
    as: 'alerting_rules: "check that the alert continues to be active during each evaluation for 10 minutes before firing"',
    rule: FOR_3,
    timeline: '11 11 11 11 11 5',
    states: 'PPPFFn',
    told: ['began@3', 'ended@5'],
  },
  {
    name: 'a single evaluation that is not true begins `for` anew',
    rule: FOR_3,
    timeline: '11 11 5 11 11 11 11',
    states: 'PPnPPPF',
    told: ['began@6'],
  },
  {
    name: 'a series that is gone is not true: pending ends, and firing is resolved',
    as: 'an alert is an element of the vector; what is not in it is inactive',
    rule: FOR_3,
    timeline: '11 11 _ 11 11 11 11 _',
    states: 'PPnPPPFn',
    told: ['began@6', 'ended@7'],
  },
  {
    name: 'what recovers goes on as recovering for keepFiringFor, and is resolved after it',
    as: 'alerting_rules, keep_firing_for: "keep this alert firing for the specified duration after the firing condition was last met"',
    rule: KEEP_3,
    timeline: '11 5 5 5 5 5',
    states: 'FRRRnn',
    told: ['began@0', 'ended@4'],
  },
  {
    name: 'a breach anew while recovering tells nobody, and recovering begins again after it',
    rule: KEEP_3,
    timeline: '11 5 5 11 5 5 5 5',
    states: 'FRRFRRRn',
    told: ['began@0', 'ended@7'],
  },
  {
    name: 'keepFiringFor holds for what was firing, not for what was pending',
    rule: { ...FOR_3, ...KEEP_3 },
    timeline: '11 11 5 5 11',
    states: 'PPnnP',
    told: [],
  },
  {
    name: 'keepFiringFor bridges a series that is away for a while',
    as: 'alerting_rules, keep_firing_for: "prevent … false resolutions due to lack of data loss"',
    rule: KEEP_3,
    timeline: '11 _ _ 11 _ _ _ _',
    states: 'FRRFRRRn',
    told: ['began@0', 'ended@7'],
  },
  {
    name: 'hysteresis: firing lasts until the value is beyond the recovery threshold',
    as: 'grafana.com/docs/grafana: alerting, "recovery threshold"',
    rule: { recoveryThreshold: 8 },
    timeline: '9 11 9 10 9 8 9 11 7',
    states: 'nFFFFnnFn',
    told: ['began@1', 'ended@5', 'began@7', 'ended@8'],
  },
  {
    name: 'hysteresis downwards',
    rule: { op: '<', threshold: 95, recoveryThreshold: 98 },
    timeline: '97 94 96 98 96',
    states: 'nFFnn',
    told: ['began@1', 'ended@3'],
  },
  {
    name: 'hysteresis does not shorten `for`: while pending the threshold itself has to be breached',
    rule: { ...FOR_3, recoveryThreshold: 8 },
    timeline: '11 9 11 11 11 11 9',
    states: 'PnPPPFF',
    told: ['began@5'],
  },
  {
    name: 'hysteresis and keepFiringFor: between the thresholds recovering goes on',
    rule: { ...KEEP_3, recoveryThreshold: 8 },
    timeline: '11 9 8 9 9 9 11',
    states: 'FFRRRnF',
    told: ['began@0', 'ended@5', 'began@6'],
  },
  {
    name: 'no data as a state of its own, after `for`',
    rule: { ...FOR_3, noData: 'no_data' },
    timeline: '5 _ _ _ _ 5',
    states: 'nPPPDn',
    told: ['began@4', 'ended@5'],
  },
  {
    name: 'what waits for no data does not count for firing, nor the other way round',
    rule: { ...FOR_3, noData: 'no_data' },
    timeline: '_ _ 11 11 11 11',
    states: 'PPPPPF',
    told: ['began@5'],
  },
  {
    name: 'no data while firing changes what is told at once; when the breach is back, it fires on',
    rule: { ...FOR_3, noData: 'no_data' },
    timeline: '11 11 11 11 _ 11 5',
    states: 'PPPFDFn',
    told: ['began@3', 'changed@4', 'changed@5', 'ended@6'],
  },
  {
    name: 'no data while recovering, and then a value between the thresholds: it goes on recovering',
    rule: { ...KEEP_3, recoveryThreshold: 8, noData: 'no_data' },
    timeline: '11 7 _ 9 9 9',
    states: 'FRDRnn',
    told: ['began@0', 'changed@2', 'changed@3', 'ended@4'],
  },
  {
    name: 'no data counts as a breach',
    rule: { ...FOR_3, noData: 'alerting' },
    timeline: '11 _ _ 11 _ 5',
    states: 'PPPFFn',
    told: ['began@3', 'ended@5'],
  },
  {
    name: 'no data keeps the state',
    rule: { ...FOR_3, noData: 'keep' },
    timeline: '_ 11 _ _ _ 11 _ _ 5',
    states: 'nPPPPFFFn',
    told: ['began@5', 'ended@8'],
  },
  {
    name: 'a query that fails keeps the state',
    as: 'a rule that cannot be evaluated is unhealthy, its alerts stay as they were',
    rule: FOR_3,
    timeline: 'E 11 E 11 E 11 E 5',
    states: 'nPPPPFFn',
    told: ['began@5', 'ended@7'],
  },
  {
    name: 'a query that fails as a state of its own',
    rule: { forMs: 2 * MINUTE, onError: 'error' },
    timeline: 'E E E 11 11 11 E 11 5',
    states: 'PPEPPFEFn',
    told: ['began@2', 'ended@3', 'began@5', 'changed@6', 'changed@7', 'ended@8'],
  },
  {
    name: 'a query that fails counts as a breach, or as recovered',
    rule: { onError: 'alerting', noData: 'ok' },
    timeline: 'E 5 E _',
    states: 'FnFn',
    told: ['began@0', 'ended@1', 'began@2', 'ended@3'],
  },
  {
    name: 'too few samples are no data',
    rule: { minSamples: 6 },
    timeline: '99 99',
    states: 'nn',
    told: [],
  },
];

test.each(CASES)('$name', ({ rule, timeline, states, told }) => {
  const replayed = replay(rule, timeline);
  expect(replayed.states).toBe(states);
  expect(replayed.told).toEqual(told);
});

test('a value that is no number is no data', () => {
  expect(replay({ noData: 'no_data' }, 'NaN').states).toBe('D');
});

test('an alert says since when, and what it rests on', () => {
  const { instance } = replay({ forMs: MINUTE, ...KEEP_3 }, '5 11 12 6');
  expect(instance).toMatchObject({
    state: 'recovering',
    activeSince: MINUTE,
    firedAt: 2 * MINUTE,
    recoveredSince: 3 * MINUTE,
    resolvedAt: null,
    value: 6,
    lastEvaluatedAt: 3 * MINUTE,
    evidence: { samples: 5 },
  });
});
