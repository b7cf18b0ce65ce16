import { compare } from '../alerts/condition.ts';
import { METRICS, type MetricInfo } from '../alerts/metricCatalogue.ts';
import type { Aggregation, AlertRule, Comparison } from '../alerts/types.ts';

/** What a rule measures and what it compares that with. */
export type Measure = Pick<AlertRule, 'metric' | 'aggregation' | 'windowMs' | 'op' | 'threshold'>;

/** Where the name of a metric, without its unit, is not how people say it. */
const WORDS: Readonly<Record<string, string>> = {
  process_cpu: 'processor time of the process',
  process_memory_bytes: 'memory of the process',
  disk_free_ratio: 'free disk',
  disk_free_bytes: 'free disk',
  seconds_since_last_success: 'time since the last successful sync',
  sync_intervals_since_success: 'schedule intervals since the last successful sync',
  pool_waiting: 'requests waiting for a database connection',
  pool_connections: 'database connections',
  job_queue_age_seconds: 'wait of the oldest job',
  sync_failures_in_row: 'failed syncs in a row',
  sync_failures: 'failed syncs',
};

const AGGREGATION_WORDS: Readonly<Record<Aggregation, string>> = {
  avg: 'average of ',
  min: 'lowest of ',
  max: 'highest of ',
  count: 'number of measurements of ',
  p50: 'p50 of ',
  p95: 'p95 of ',
  p99: 'p99 of ',
  sum: '',
  rate: '',
  last: '',
};

const OP_WORDS: Readonly<Record<Comparison, string>> = {
  '>': 'above',
  '>=': 'at or above',
  '<': 'below',
  '<=': 'at or below',
};

/** Such as `p95 of response time 6,120 ms, above 5,000 ms, over 5 minutes`. */
export function measuredText(measure: Measure, value: number | null): string {
  const { op, threshold } = measure;
  const limit = `${OP_WORDS[op]} ${quantity(threshold, measure, 6)}`;
  const over = measure.aggregation === 'last' ? '' : `, over ${windowText(measure.windowMs)}`;
  if (value === null) return `${subject(measure)}: nothing measured${over} (alerts ${limit})`;
  const breaches = compare(value, op, threshold);
  return `${subject(measure)} ${valueText(value, measure)}, ${breaches ? '' : 'alerts '}${limit}${over}`;
}

/** What is counted when nothing was measured: `calls`, `syncs`. */
export function countedBy(metric: string): string {
  const labels = METRICS[metric]?.labels ?? [];
  if (labels.includes('operation')) return 'calls';
  return metric.includes('sync') || metric === 'seconds_since_last_success' ? 'syncs' : 'measurements';
}

function subject({ metric, aggregation }: Measure): string {
  const info = METRICS[metric];
  const name = WORDS[metric] ?? metric.replace(/_(ms|seconds|bytes|ratio)$/, '').replaceAll('_', ' ');
  // A share is made of the whole window: there is no other aggregation of it.
  return info?.aggregations.length === 1 ? name : `${AGGREGATION_WORDS[aggregation]}${name}`;
}

/** As few digits as tell it from the threshold. */
function valueText(value: number, measure: Measure): string {
  const threshold = quantity(measure.threshold, measure, 6);
  for (let digits = 3; digits < 7; digits++) {
    const text = quantity(value, measure, digits);
    if (text !== threshold || value === measure.threshold) return text;
  }
  return quantity(value, measure, 15);
}

function quantity(value: number, { metric, aggregation }: Measure, digits: number): string {
  const unit = aggregation === 'count' ? 'count' : (METRICS[metric]?.unit ?? 'count');
  const rate = aggregation === 'rate' ? ' a second' : '';
  if (unit === 'bytes') return `${bytes(value, digits)}${rate}`;
  return `${rounded(unit === 'ratio' ? value * 100 : value, digits)}${UNIT_WORDS[unit]}${rate}`;
}

const UNIT_WORDS: Readonly<Record<Exclude<MetricInfo['unit'], 'bytes'>, string>> = {
  ms: ' ms',
  s: ' s',
  percent: ' %',
  ratio: ' %',
  count: '',
  'per second': ' a second',
};

function bytes(value: number, digits: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let scaled = value;
  let at = 0;
  for (; Math.abs(scaled) >= 1_000 && at < units.length - 1; at++) scaled /= 1_000;
  return `${rounded(scaled, digits)} ${units[at]}`;
}

/** Whole numbers from a thousand on, with separators: 6,120. */
function rounded(value: number, digits: number): string {
  const whole = digits < 6 ? 1_000 : 100_000;
  if (Math.abs(value) >= whole) return Math.round(value).toLocaleString('en-US');
  return value.toLocaleString('en-US', { maximumSignificantDigits: digits });
}

const WINDOWS: readonly (readonly [number, string])[] = [
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1_000, 'second'],
];

function windowText(ms: number): string {
  const [unitMs, name] = WINDOWS.find(([unit]) => ms % unit === 0) ?? WINDOWS[2]!;
  const count = Math.round(ms / unitMs);
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}
