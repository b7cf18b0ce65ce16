import type { AlertReason, AlertRule, Comparison } from './types.ts';

/** What one evaluation found of one series. */
export type Observation =
  | { readonly kind: 'value'; readonly value: number; readonly samples: number }
  | { readonly kind: 'no_data'; readonly samples: number }
  | { readonly kind: 'error'; readonly error: string };

/** Fields that a single evaluation is judged by. */
type Judge = Pick<AlertRule, 'op' | 'threshold' | 'recoveryThreshold' | 'minSamples' | 'noData' | 'onError'>;

/**
 * What an observation means to a rule. `between`: not breached, but not recovered either. `keep`: nothing is known,
 * so the state stays.
 */
export interface Condition {
  readonly holds: 'breached' | 'between' | 'recovered' | 'no_data' | 'error' | 'keep';
  readonly reason: AlertReason;
}

export function compare(value: number, op: Comparison, threshold: number): boolean {
  switch (op) {
    case '>':
      return value > threshold;
    case '>=':
      return value >= threshold;
    case '<':
      return value < threshold;
    case '<=':
      return value <= threshold;
  }
}

const POLICIES = {
  ok: 'recovered',
  alerting: 'breached',
  keep: 'keep',
  no_data: 'no_data',
  error: 'error',
} as const;

export function conditionOf(observation: Observation, rule: Judge): Condition {
  if (observation.kind === 'error') return { holds: POLICIES[rule.onError], reason: 'error' };
  if (observation.kind === 'no_data' || Number.isNaN(observation.value) || observation.samples < rule.minSamples)
    return { holds: POLICIES[rule.noData], reason: 'no_data' };
  const { value } = observation;
  if (compare(value, rule.op, rule.threshold)) return BREACHED;
  const recovered = rule.recoveryThreshold === null || !compare(value, rule.op, rule.recoveryThreshold);
  return recovered ? RECOVERED : BETWEEN;
}

// One object each: this is done for every alert at every evaluation.
const BREACHED: Condition = { holds: 'breached', reason: 'value' };
const BETWEEN: Condition = { holds: 'between', reason: 'value' };
const RECOVERED: Condition = { holds: 'recovered', reason: 'value' };
