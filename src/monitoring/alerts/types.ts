import type { JsonObject } from '../../core/json.ts';

/** What a value is made of within the window. `rate` is per second. */
export const AGGREGATIONS = ['avg', 'min', 'max', 'sum', 'count', 'rate', 'last', 'p50', 'p95', 'p99'] as const;
export type Aggregation = (typeof AGGREGATIONS)[number];

/** A series passes when its label has (`in`) or has not (`not_in`) one of the values. A label it lacks counts as ''. */
export interface LabelFilter {
  readonly label: string;
  readonly op: 'in' | 'not_in';
  readonly values: readonly string[];
}

/** What is measured. The filter is applied before aggregating; one sample is answered for every group. */
export interface MetricQuery {
  readonly metric: string;
  readonly filter: readonly LabelFilter[];
  readonly aggregation: Aggregation;
  readonly windowMs: number;
  readonly groupBy: readonly string[];
}

/** One group of a query. `value` is null when nothing was measured in the window. */
export interface MetricSample {
  /** Values of `groupBy`, and of nothing else. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | null;
  /** Measurements that the value is made of. */
  readonly samples: number;
}

/** Answers queries over (atMs - windowMs, atMs]: every group at once, so that one query serves any number of rules. */
export interface MetricSource {
  /** Whether this source knows the metric. */
  has(metric: string): boolean;
  /** Throws when it cannot answer; an empty answer says that there is nothing. */
  query(query: MetricQuery, atMs: number, signal?: AbortSignal): Promise<readonly MetricSample[]>;
}

export const ALERT_KINDS = ['performance', 'security', 'quality', 'system'] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** As PagerDuty's Events v2 has them, the worst first. */
export const SEVERITIES = ['critical', 'error', 'warning', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];

export const COMPARISONS = ['>', '>=', '<', '<='] as const;
export type Comparison = (typeof COMPARISONS)[number];

/** What a rule says of the alerts it makes. */
export interface AlertRule {
  readonly id: string;
  readonly name: string;
  readonly kind: AlertKind;
  readonly severity: Severity;
  readonly metric: string;
  readonly filter: readonly LabelFilter[];
  readonly aggregation: Aggregation;
  readonly windowMs: number;
  readonly groupBy: readonly string[];
  /** Fewer samples than this are no data. */
  readonly minSamples: number;
  readonly op: Comparison;
  readonly threshold: number;
  /** An alert that fires stays until the value is beyond this one. Null: until it no longer breaches the threshold. */
  readonly recoveryThreshold: number | null;
  /** The threshold has to be breached at every evaluation for so long. */
  readonly forMs: number;
  /** An alert that fired goes on for so long after the value has recovered. */
  readonly keepFiringForMs: number;
  readonly intervalMs: number;
  /** What no data counts as: recovered, a state of its own, breached, or nothing (the state is kept). */
  readonly noData: 'ok' | 'no_data' | 'alerting' | 'keep';
  /** What a query that fails counts as. */
  readonly onError: 'ok' | 'error' | 'alerting' | 'keep';
  /** Added to the labels of the series; the same name wins over the series' own. */
  readonly labels: Readonly<Record<string, string>>;
  /** Texts with `{{ value }}`, `{{ threshold }}` and `{{ labels.x }}`, rendered at every change. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Whom to tell; both empty: the default policy. */
  readonly notify: AlertNotify;
  readonly enabled: boolean;
}

interface AlertNotify {
  readonly policyId: string | null;
  readonly channelIds: readonly string[];
}

export const ALERT_STATES = ['normal', 'pending', 'firing', 'recovering', 'no_data', 'error'] as const;
export type AlertState = (typeof ALERT_STATES)[number];

/** Why an alert is in its state: the value, its absence, a failed query, or that the rule no longer asks. */
export type AlertReason =
  | 'value'
  | 'no_data'
  | 'error'
  | 'rule_changed'
  | 'rule_disabled'
  | 'rule_deleted'
  | 'series_gone';

/** One alert: a rule and one series of its query. Times are milliseconds since the epoch. */
export interface AlertInstance {
  readonly ruleId: string;
  /** Names the series within the rule: 16 hexadecimal digits made of the series' own labels. */
  readonly fingerprint: string;
  /** Of the series, without those of the rule. */
  readonly labels: Readonly<Record<string, string>>;
  readonly state: AlertState;
  readonly reason: AlertReason;
  readonly value: number | null;
  /** Since when the condition holds without a break; null when it does not. */
  readonly activeSince: number | null;
  /** When it began to fire; kept until it is resolved. */
  readonly firedAt: number | null;
  /** While recovering: since when the value has recovered. */
  readonly recoveredSince: number | null;
  readonly resolvedAt: number | null;
  readonly lastEvaluatedAt: number;
  readonly evidence: AlertEvidence;
}

/** What a state rests on. */
export interface AlertEvidence {
  readonly samples: number;
  /** Of a failed query. */
  readonly error?: string;
}

/**
 * A row of `alert_changes`: one transition, written in the transaction that stores the new state. `seq` is without
 * gaps and in the order of commits: who has read up to a number has missed nothing before it. It holds what is to be
 * said, because the rule may be changed or gone when it is read.
 *
 * @public
 */
export interface AlertChange {
  readonly seq: number;
  readonly ruleId: string;
  readonly fingerprint: string;
  readonly ruleName: string;
  readonly kind: AlertKind;
  readonly severity: Severity;
  readonly from: AlertState;
  readonly to: AlertState;
  readonly reason: AlertReason;
  /** Of the series and the rule together. */
  readonly labels: Readonly<Record<string, string>>;
  /** Rendered. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly notify: AlertNotify;
  readonly value: number | null;
  readonly evidence: AlertEvidence & JsonObject;
  /** Of the evaluation, in milliseconds since the epoch. */
  readonly at: number;
}

/** Whether an alert in this state is something to be told of. */
export function isActive(state: AlertState): boolean {
  return state !== 'normal' && state !== 'pending';
}

/**
 * What a change means to whoever is told: the alert begins, ends, or is active for another cause (it fired, and now
 * there is no data). Null for what nobody is told: pending, recovering, and a breach anew while it recovers.
 */
export function meaningOf({ from, to }: { from: AlertState; to: AlertState }): 'began' | 'changed' | 'ended' | null {
  if (isActive(from) !== isActive(to)) return isActive(to) ? 'began' : 'ended';
  const cause = (state: AlertState) => (state === 'recovering' ? 'firing' : state);
  return isActive(to) && cause(from) !== cause(to) ? 'changed' : null;
}
