import { z } from 'zod';
import { DURATION_FORM, parseDuration } from '../../core/duration.ts';
import type { InputProblem } from '../../core/errors.ts';
import { invalidInput, parseInput, suggestion } from '../../core/input.ts';
import { METRIC_NAMES, METRICS } from '../alerts/metricCatalogue.ts';
import { AGGREGATIONS, type LabelFilter, type MetricQuery } from '../alerts/types.ts';
import { MetricQueryTooLargeError } from '../errors.ts';

const MAX_POINTS = 1_500;
/** A chart that nobody said a step for has about as many points as it has pixels to show them. */
const CHART_POINTS = 300;
const MINUTE_MS = 60_000;
const STEPS_MS = [1, 5, 15, 60, 360, 1_440].map((minutes) => minutes * MINUTE_MS);
const MAX_WINDOW_MS = 400 * 86_400_000;

const duration = z.string().max(20).describe(`${DURATION_FORM}.`);
const value = z.string().max(200);

/** A query as people and charts write it. */
export const metricQuerySchema = z.strictObject({
  metric: z.string().max(100),
  aggregation: z.enum(AGGREGATIONS),
  filter: z
    .record(z.string().max(50), z.union([value, z.array(value).min(1).max(100)]))
    .default({})
    .describe('Values that a label has to have; with a ! before the label, values that it must not have.'),
  groupBy: z.array(z.string().max(50)).max(4).default([]),
  window: duration.optional().describe(`One value over the time up to now: ${DURATION_FORM}. Default 5m.`),
  from: z.iso.datetime({ offset: true }).optional().describe('Gives points in time, from here on.'),
  until: z.iso.datetime({ offset: true }).optional().describe('Default: now.'),
  step: duration.optional().describe('Between points; whole minutes. Default: one that gives at most 300 points.'),
});

export type MetricQueryInput = z.input<typeof metricQuerySchema>;

type Base = Omit<MetricQuery, 'windowMs'>;

/** What is asked: one value of each group, or points in time. */
export type ParsedMetricQuery =
  | { readonly kind: 'window'; readonly query: MetricQuery }
  | { readonly kind: 'range'; readonly query: Base & { fromMs: number; untilMs: number; stepMs: number } };

/** @throws InvalidInputError with every problem; MetricQueryTooLargeError */
export function parseMetricQuery(input: unknown, nowMs: number): ParsedMetricQuery {
  const given = parseInput(metricQuerySchema, input, 'The metric query');
  const problems: InputProblem[] = [];
  const { metric, aggregation, groupBy } = given;
  const info = Object.hasOwn(METRICS, metric) ? METRICS[metric] : undefined;
  if (info === undefined) {
    const detail = `is not measured.${suggestion(metric, METRIC_NAMES)} GET /api/v1/metrics lists what is.`;
    throw invalidInput('The metric query', [{ pointer: '/metric', detail }]);
  }
  if (!info.aggregations.includes(aggregation)) {
    problems.push({ pointer: '/aggregation', detail: `takes one of ${info.aggregations.join(', ')} for ${metric}.` });
  }
  const filter = Object.entries(given.filter).map(([key, values]): LabelFilter => {
    const label = key.replace(/^!/, '');
    const op = key.startsWith('!') ? 'not_in' : 'in';
    return { label, op, values: typeof values === 'string' ? [values] : values };
  });
  const known = info.labels.length === 0 ? 'it has none' : `known are ${info.labels.join(', ')}`;
  for (const [label, pointer] of [
    ...filter.map((one) => [one.label, '/filter'] as const),
    ...groupBy.map((one, at) => [one, `/groupBy/${at}`] as const),
  ]) {
    if (!info.labels.includes(label)) {
      problems.push({ pointer, detail: `${JSON.stringify(label)} is no label of ${metric}; ${known}.` });
    }
  }
  const ms = (name: 'window' | 'step'): number | null => {
    const text = given[name];
    if (text === undefined) return null;
    const parsed = parseDuration(text);
    const isMinutes = parsed !== null && parsed >= MINUTE_MS && parsed <= MAX_WINDOW_MS && parsed % MINUTE_MS === 0;
    if (!isMinutes)
      problems.push({ pointer: `/${name}`, detail: `takes ${DURATION_FORM}: whole minutes, up to 400d.` });
    return isMinutes ? parsed : null;
  };
  const [windowMs, stepMs] = [ms('window'), ms('step')];
  if (given.from === undefined && (given.until ?? given.step) !== undefined) {
    problems.push({ pointer: '/from', detail: 'is needed with "until" and "step".' });
  }
  if (given.from !== undefined && given.window !== undefined) {
    problems.push({ pointer: '/window', detail: 'goes without "from": points are made of steps.' });
  }
  const fromMs = given.from === undefined ? null : Date.parse(given.from);
  const untilMs = given.until === undefined ? nowMs : Date.parse(given.until);
  if (fromMs !== null && fromMs >= untilMs) problems.push({ pointer: '/until', detail: 'has to come after "from".' });
  if (problems.length > 0) throw invalidInput('The metric query', problems);

  const base = { metric, aggregation, filter, groupBy };
  if (fromMs === null) return { kind: 'window', query: { ...base, windowMs: windowMs ?? 5 * MINUTE_MS } };
  const step = stepMs ?? chartStep(untilMs - fromMs);
  if ((untilMs - fromMs) / step > MAX_POINTS) throw new MetricQueryTooLargeError(MAX_POINTS, 'points');
  const first = Math.floor(fromMs / step) * step;
  return { kind: 'range', query: { ...base, fromMs: first, untilMs, stepMs: step } };
}

function chartStep(spanMs: number): number {
  return STEPS_MS.find((step) => spanMs / step <= CHART_POINTS) ?? STEPS_MS.at(-1)!;
}
