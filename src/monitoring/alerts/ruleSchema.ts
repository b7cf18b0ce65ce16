import { z } from 'zod';
import type { InputProblem } from '../../core/errors.ts';
import { invalidInput, parseInput, suggestion } from '../../core/input.ts';
import { unknownPlaceholder } from './annotations.ts';
import { METRIC_NAMES, METRICS } from './metricCatalogue.ts';
import { AGGREGATIONS, ALERT_KINDS, type AlertRule, COMPARISONS, SEVERITIES } from './types.ts';

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;
const MAX_LABELS = 20;

const text = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^\P{Cc}*$/u, 'takes text without control characters');
const labelName = z.string().regex(/^[A-Za-z_]\w{0,62}$/, 'takes letters, digits and "_"');
const labelValue = z
  .string()
  .max(200)
  .regex(/^\P{Cc}*$/u, 'takes text without control characters');
const duration = (minMs: number, maxMs: number) => z.int().min(minMs).max(maxMs);
const fewLabels = (record: object) => Object.keys(record).length <= MAX_LABELS;
const reference = z.string().regex(/^[\x21-\x7e]{1,200}$/, 'takes an id');

const filter = z.strictObject({
  label: labelName,
  op: z.enum(['in', 'not_in']),
  values: z.array(labelValue).min(1).max(100),
});

const fields = {
  name: text,
  kind: z.enum(ALERT_KINDS),
  severity: z.enum(SEVERITIES),
  metric: z.string().max(100).describe('One that docs/alerts.md lists.'),
  filter: z.array(filter).max(10).describe('All of them have to hold.'),
  aggregation: z.enum(AGGREGATIONS),
  windowMs: duration(10 * SECOND_MS, 7 * DAY_MS).describe('What is measured: so much before each evaluation.'),
  groupBy: z.array(labelName).max(5).describe('An alert for each value of these labels.'),
  minSamples: z.int().min(1).max(1_000_000).describe('Fewer measurements than this are no data.'),
  op: z.enum(COMPARISONS),
  threshold: z.number(),
  recoveryThreshold: z.number().nullable().describe('An alert fires until the value is beyond this one.'),
  forMs: duration(0, 7 * DAY_MS).describe('The threshold has to be breached at every evaluation for so long.'),
  keepFiringForMs: duration(0, 7 * DAY_MS).describe('How long an alert goes on after the value has recovered.'),
  intervalMs: duration(10 * SECOND_MS, DAY_MS)
    .multipleOf(5 * SECOND_MS, 'takes a multiple of 5000')
    .describe('Between evaluations.'),
  noData: z.enum(['ok', 'no_data', 'alerting', 'keep']),
  onError: z.enum(['ok', 'error', 'alerting', 'keep']),
  labels: z.record(labelName, labelValue).refine(fewLabels, `takes at most ${MAX_LABELS} labels`),
  annotations: z
    .record(labelName, z.string().max(2_000))
    .refine(fewLabels, `takes at most ${MAX_LABELS} texts`)
    .describe('Texts with {{ value }}, {{ threshold }} and {{ labels.x }}.'),
  notify: z.strictObject({ policyId: reference.nullable(), channelIds: z.array(reference).max(20) }),
  enabled: z.boolean(),
};

/** A new rule; what is left out has a default. */
export const createRuleSchema = z.strictObject({
  ...fields,
  filter: fields.filter.default([]),
  groupBy: fields.groupBy.default(['integrationId']),
  minSamples: fields.minSamples.default(1),
  recoveryThreshold: fields.recoveryThreshold.default(null),
  forMs: fields.forMs.default(0),
  keepFiringForMs: fields.keepFiringForMs.default(0),
  intervalMs: fields.intervalMs.default(60 * SECOND_MS),
  noData: fields.noData.default('ok'),
  onError: fields.onError.default('keep'),
  labels: fields.labels.default({}),
  annotations: fields.annotations.default({}),
  notify: fields.notify.default({ policyId: null, channelIds: [] }),
  enabled: fields.enabled.default(true),
});

/** What is left out stays; `version`: the change counts only for this version of the rule. */
export const updateRuleSchema = z.strictObject({ ...fields, version: z.int() }).partial();

export type CreateRuleData = z.input<typeof createRuleSchema>;
export type UpdateRuleData = z.input<typeof updateRuleSchema>;
export type RuleData = Omit<AlertRule, 'id'>;

/** @throws InvalidInputError that lists every problem */
export function parseRule(data: CreateRuleData): RuleData {
  const rule = parseInput(createRuleSchema, data, 'The alert rule');
  const problems = [...metricProblems(rule), ...thresholdProblems(rule), ...textProblems(rule)];
  if (problems.length > 0) throw invalidInput('The alert rule', problems);
  return rule;
}

function metricProblems(rule: RuleData): InputProblem[] {
  if (!Object.hasOwn(METRICS, rule.metric)) {
    const known = suggestion(rule.metric, METRIC_NAMES) || ` Known are: ${METRIC_NAMES.join(', ')}.`;
    return [{ pointer: '/metric', detail: `There is no metric ${JSON.stringify(rule.metric)}.${known}` }];
  }
  const { aggregations, labels } = METRICS[rule.metric]!;
  const problems: InputProblem[] = [];
  if (!aggregations.includes(rule.aggregation))
    problems.push({ pointer: '/aggregation', detail: `of ${rule.metric} is one of ${aggregations.join(', ')}.` });
  const check = (label: string, pointer: string) => {
    if (labels.includes(label)) return;
    const which = labels.length === 0 ? 'has no labels' : `has the labels ${labels.join(', ')}`;
    problems.push({ pointer, detail: `${rule.metric} ${which}.` });
  };
  for (const [index, label] of rule.groupBy.entries()) check(label, `/groupBy/${index}`);
  for (const [index, { label }] of rule.filter.entries()) check(label, `/filter/${index}/label`);
  return problems;
}

function thresholdProblems({ op, threshold, recoveryThreshold }: RuleData): InputProblem[] {
  if (recoveryThreshold === null) return [];
  const upwards = op === '>' || op === '>=';
  if (upwards ? recoveryThreshold <= threshold : recoveryThreshold >= threshold) return [];
  const side = upwards ? 'above' : 'below';
  return [{ pointer: '/recoveryThreshold', detail: `lies ${side} the threshold; an alert could not fire.` }];
}

function textProblems({ annotations }: RuleData): InputProblem[] {
  return Object.entries(annotations).flatMap(([name, text]) => {
    const unknown = unknownPlaceholder(text);
    if (unknown === null) return [];
    return [
      { pointer: `/annotations/${name}`, detail: `${unknown} is not {{ value }}, {{ threshold }} or {{ labels.x }}.` },
    ];
  });
}

/** Whether alerts of one have nothing to do with the other: something else is measured, or in other pieces. */
export function measuresElse(one: RuleData, other: RuleData): boolean {
  const measured = ({ metric, aggregation, windowMs, filter, groupBy }: RuleData) =>
    JSON.stringify([metric, aggregation, windowMs, filter, groupBy]);
  return measured(one) !== measured(other);
}
