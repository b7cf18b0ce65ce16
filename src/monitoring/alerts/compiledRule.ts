import type { AlertRule, LabelFilter, MetricQuery, MetricSample } from './types.ts';

type Labels = Readonly<Record<string, string>>;

/** The label that rules are multiplied over: a rule for each of many integrations still asks one question. */
const SHARED_LABEL = 'integrationId';
/** Stands for the rule as a whole, when it is not known which series there should be. */
export const WHOLE_RULE = '*';

/** A rule made ready for being evaluated again and again. */
export interface CompiledRule {
  readonly rule: AlertRule;
  /** Rises when what is measured changes: alerts of an earlier one have nothing to do with it. */
  readonly queryVersion: number;
  readonly query: MetricQuery;
  /** Equal for rules that one query serves. */
  readonly shape: string;
  /** What of the answer is this rule's. */
  readonly match: readonly LabelFilter[];
  /** Labels that have a single value by the filter. */
  readonly pinned: Labels;
  /** The series that stands for the absence of all: the only one that the filter leaves, or `WHOLE_RULE`. */
  readonly wholeKey: string;
  /** Whether absence may be an alert, so that one has to know what was there. */
  readonly watchesAbsence: boolean;
}

export function compileRule(rule: AlertRule, queryVersion: number): CompiledRule {
  const single = rule.filter.find(
    ({ label, op, values }) => label === SHARED_LABEL && op === 'in' && values.length === 1,
  );
  // Grouping by a label that has one value only makes no other groups.
  const groupBy = [...new Set(single === undefined ? rule.groupBy : [...rule.groupBy, SHARED_LABEL])].sort();
  const match = rule.filter.filter(({ label }) => groupBy.includes(label));
  const filter = rule.filter
    .filter(({ label }) => !groupBy.includes(label))
    .map(({ label, op, values }) => ({ label, op, values: [...values].sort() }))
    .sort((a, b) => (a.label + a.op < b.label + b.op ? -1 : 1));
  const { metric, aggregation, windowMs } = rule;
  const query = { metric, filter, aggregation, windowMs, groupBy };
  const pinned = Object.fromEntries(
    match.flatMap(({ label, op, values }) => (op === 'in' && values.length === 1 ? [[label, values[0]!]] : [])),
  );
  return {
    rule,
    queryVersion,
    query,
    shape: JSON.stringify([metric, aggregation, windowMs, groupBy, filter]),
    match,
    pinned,
    wholeKey: seriesKey(pinned, groupBy),
    watchesAbsence: rule.noData === 'no_data' || rule.noData === 'alerting',
  };
}

/** Names a series within a query; `WHOLE_RULE` when a label is missing. */
export function seriesKey(labels: Labels, groupBy: readonly string[]): string {
  let key = '';
  for (const label of groupBy) {
    const value = labels[label];
    if (value === undefined) return WHOLE_RULE;
    key += `${value}\0`;
  }
  return key === '' ? WHOLE_RULE : key;
}

export function passes(labels: MetricSample['labels'], filters: readonly LabelFilter[]): boolean {
  for (const { label, op, values } of filters) if (values.includes(labels[label] ?? '') !== (op === 'in')) return false;
  return true;
}
