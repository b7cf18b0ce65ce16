import { type Condition, conditionOf, type Observation } from './condition.ts';
import { pendingSince } from './outage.ts';
import type { AlertEvidence, AlertInstance, AlertReason, AlertRule, AlertState } from './types.ts';

/** From one state to another. */
export interface Transition {
  readonly from: AlertState;
  readonly to: AlertState;
}

export interface Step {
  /** The same object when nothing of it has to be stored. */
  readonly instance: AlertInstance;
  readonly transition: Transition | null;
}

/** The fields of a rule that decide over states. */
export type StateRule = Pick<
  AlertRule,
  | 'op'
  | 'threshold'
  | 'recoveryThreshold'
  | 'minSamples'
  | 'noData'
  | 'onError'
  | 'forMs'
  | 'keepFiringForMs'
  | 'intervalMs'
>;

/** An alert that nothing is known of yet. */
export function newInstance(
  ruleId: string,
  fingerprint: string,
  labels: Readonly<Record<string, string>>,
  now: number,
): AlertInstance {
  return {
    ruleId,
    fingerprint,
    labels,
    state: 'normal',
    reason: 'value',
    value: null,
    activeSince: null,
    firedAt: null,
    recoveredSince: null,
    resolvedAt: null,
    lastEvaluatedAt: now,
    evidence: { samples: 0 },
  };
}

/**
 * What one evaluation makes of one alert: a pure function of what was known, what was observed, and the time.
 *
 * @param now of this evaluation, milliseconds since the epoch
 * @param previousAt of the one before; null when there was none
 */
export function step(
  instance: AlertInstance,
  observation: Observation,
  rule: StateRule,
  now: number,
  previousAt: number | null,
): Step {
  const condition = conditionOf(observation, rule);
  const next = nextState(instance, condition, rule, now, previousAt);
  if (next === null) return { instance, transition: null };
  const value = observation.kind === 'value' ? observation.value : null;
  const updated = { ...instance, ...next, value, lastEvaluatedAt: now, evidence: evidenceOf(observation) };
  const changed = updated.state !== instance.state;
  return { instance: updated, transition: changed ? { from: instance.state, to: updated.state } : null };
}

/** Ends an alert whose rule no longer asks for it. */
export function retire(instance: AlertInstance, reason: AlertReason, now: number): Step {
  if (instance.state === 'normal') return { instance, transition: null };
  const next = { ...instance, ...resolved(instance, reason, now), lastEvaluatedAt: now };
  return { instance: next, transition: { from: instance.state, to: 'normal' } };
}

export function evidenceOf(observation: Observation): AlertEvidence {
  return observation.kind === 'error' ? { samples: 0, error: observation.error } : { samples: observation.samples };
}

type Next = Pick<
  AlertInstance,
  'state' | 'reason' | 'activeSince' | 'firedAt' | 'recoveredSince' | 'resolvedAt'
> | null;

function nextState(
  instance: AlertInstance,
  { holds, reason }: Condition,
  rule: StateRule,
  now: number,
  previousAt: number | null,
): Next {
  switch (holds) {
    case 'keep':
      return null;
    case 'breached':
      return breached(instance, reason, rule, now, previousAt);
    case 'no_data':
    case 'error':
      return unknown(instance, holds, reason, rule, now, previousAt);
    case 'between':
      // Like a Schmitt trigger: what was beyond the threshold stays so until it is beyond the other one.
      if (instance.firedAt !== null && instance.recoveredSince === null)
        return breached(instance, reason, rule, now, previousAt);
      return recovered(instance, reason, rule, now);
    case 'recovered':
      return recovered(instance, reason, rule, now);
  }
}

function breached(
  instance: AlertInstance,
  reason: AlertReason,
  rule: StateRule,
  now: number,
  previousAt: number | null,
): Next {
  if (instance.state === 'firing') return null;
  // It has not been resolved since it fired, so it fires on, and nobody is told again.
  if (instance.firedAt !== null) {
    const { firedAt, activeSince } = instance;
    return { state: 'firing', reason, activeSince, firedAt, recoveredSince: null, resolvedAt: null };
  }
  return awaited(instance, 'firing', reason, rule, now, previousAt);
}

/** No data or a failed query, where that is a state of its own: what is told already changes to it at once. */
function unknown(
  instance: AlertInstance,
  state: 'no_data' | 'error',
  reason: AlertReason,
  rule: StateRule,
  now: number,
  previousAt: number | null,
): Next {
  if (instance.state === state) return null;
  if (instance.state === 'normal' || instance.state === 'pending')
    return awaited(instance, state, reason, rule, now, previousAt);
  const { activeSince, firedAt, recoveredSince } = instance;
  return { state, reason, activeSince, firedAt, recoveredSince, resolvedAt: null };
}

/** On the way to `goal`, which is reached when it was aimed at by every evaluation for as long as the rule says. */
function awaited(
  instance: AlertInstance,
  goal: 'firing' | 'no_data' | 'error',
  reason: AlertReason,
  rule: StateRule,
  now: number,
  previousAt: number | null,
): Next {
  const waits = instance.state === 'pending' && instance.activeSince !== null && goalOf(instance.reason, rule) === goal;
  const activeSince = waits ? pendingSince(rule, instance.activeSince, previousAt, now) : now;
  if (now - activeSince >= rule.forMs) {
    const firedAt = goal === 'firing' ? now : null;
    return { state: goal, reason, activeSince, firedAt, recoveredSince: null, resolvedAt: null };
  }
  if (waits && activeSince === instance.activeSince) return null;
  return { state: 'pending', reason, activeSince, firedAt: null, recoveredSince: null, resolvedAt: null };
}

/** What a pending alert waits for, told by what made it pending. */
function goalOf(reason: AlertReason, rule: StateRule): 'firing' | 'no_data' | 'error' {
  if (reason === 'no_data') return rule.noData === 'no_data' ? 'no_data' : 'firing';
  if (reason === 'error') return rule.onError === 'error' ? 'error' : 'firing';
  return 'firing';
}

function recovered(instance: AlertInstance, reason: AlertReason, rule: StateRule, now: number): Next {
  if (instance.state === 'normal') return null;
  if (instance.firedAt === null) return resolved(instance, reason, now);
  const { activeSince, firedAt } = instance;
  const recoveredSince = instance.recoveredSince ?? now;
  if (now - recoveredSince >= rule.keepFiringForMs) return resolved(instance, reason, now);
  if (instance.state === 'recovering') return null;
  return { state: 'recovering', reason, activeSince, firedAt, recoveredSince, resolvedAt: null };
}

function resolved({ state, resolvedAt }: AlertInstance, reason: AlertReason, now: number): NonNullable<Next> {
  // What was only pending had nothing to resolve.
  const endedAt = state === 'pending' ? resolvedAt : now;
  return { state: 'normal', reason, activeSince: null, firedAt: null, recoveredSince: null, resolvedAt: endedAt };
}
