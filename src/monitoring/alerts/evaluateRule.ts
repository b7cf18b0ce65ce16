import { type CompiledRule, WHOLE_RULE } from './compiledRule.ts';
import type { Observation } from './condition.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { QueryAnswer } from './queryAnswer.ts';
import { evidenceOf, newInstance, retire, type Step, step, type Transition } from './stateMachine.ts';
import { type AlertInstance, type AlertReason, isActive, type MetricSample } from './types.ts';

/** The value of an alert that goes on is stored again after so long, so that lists show one of late. */
const REFRESH_MS = 60_000;

/** An alert of a rule that is to be stored, with the transition that led there. */
export interface StagedAlert {
  readonly compiled: CompiledRule;
  readonly key: string;
  readonly instance: AlertInstance;
  readonly transition: Transition | null;
  /** Whether it has to be known at the next evaluation. */
  readonly tracked: boolean;
}

export interface RuleOutcome {
  readonly staged: readonly StagedAlert[];
  /** Why the rule could not be evaluated as it says; null when it could. */
  readonly failure: string | null;
}

/** What may still be made in this round; counted down. */
interface RoundBudget {
  /** Alerts that are not known yet. */
  alerts: number;
  /** Values stored again. */
  refreshes: number;
}

export interface RuleRound {
  readonly compiled: CompiledRule;
  /** What the query answered, or why it did not. */
  readonly answer: QueryAnswer | Error;
  /** The alerts known of the rule, by series. */
  readonly tracked: ReadonlyMap<string, AlertInstance>;
  readonly now: number;
  readonly previousAt: number | null;
  readonly budget: RoundBudget;
}

/** Evaluates one rule: pure but for the budget. Nothing counts before it is stored. */
export function evaluateRule(round: RuleRound): RuleOutcome {
  const staged: StagedAlert[] = [];
  const { answer } = round;
  if (answer instanceof Error) {
    observeFailure(round, answer.message, staged);
    return { staged, failure: answer.message };
  }
  const left = observeSeries(round, answer, staged);
  const failure = left === 0 ? null : `${left} more series breach than there is room for; they are left out.`;
  return { staged, failure };
}

/**
 * A failed query says nothing of any series. Where it is to be an alert, it is one for the rule as a whole, and the
 * others stay what they were.
 */
function observeFailure(round: RuleRound, error: string, staged: StagedAlert[]): void {
  const { compiled, tracked } = round;
  const observation: Observation = { kind: 'error', error };
  switch (compiled.rule.onError) {
    case 'keep':
      return;
    case 'ok':
      for (const [key, instance] of tracked) observe(round, key, instance, observation, staged);
      return;
    default:
      observeWhole(round, observation, staged);
  }
}

/** Gives how many alerts there was no room for. */
function observeSeries(round: RuleRound, answer: QueryAnswer, staged: StagedAlert[]): number {
  const { compiled, tracked, now, budget } = round;
  const { rule, watchesAbsence } = compiled;
  const rows = watchesAbsence ? answer.rowsOf(compiled) : null;
  const allGone = rows !== null && rows.length === 0;
  // One alert for the rule, not one for each series that there was.
  if (allGone) observeWhole(round, { kind: 'no_data', samples: 0 }, staged);
  for (const [key, instance] of tracked) {
    if (allGone) break;
    const row = answer.rowOf(key);
    if (isWhole(compiled, key)) stageEnd(compiled, key, instance, 'value', now, staged);
    else observe(round, key, instance, row === undefined ? GONE : observationOf(answer.samples[row]!), staged);
  }
  let left = 0;
  for (const row of rows ?? answer.breachingRows(compiled)) {
    const key = answer.keyOf(row);
    if (tracked.has(key)) continue;
    const sample = answer.samples[row]!;
    // No data makes no alert where absence is not watched.
    if (!watchesAbsence && sample.samples < rule.minSamples) continue;
    if (budget.alerts === 0) {
      left++;
      continue;
    }
    budget.alerts--;
    const fresh = newInstance(rule.id, fingerprintOf(sample.labels), sample.labels, now);
    observe(round, key, fresh, observationOf(sample), staged, true);
  }
  return left;
}

function observeWhole(round: RuleRound, observation: Observation, staged: StagedAlert[]): void {
  const { compiled, tracked, now, budget } = round;
  const { wholeKey, pinned, rule } = compiled;
  const known = tracked.get(wholeKey);
  if (known === undefined && budget.alerts === 0) return;
  if (known === undefined) budget.alerts--;
  const instance = known ?? newInstance(rule.id, fingerprintOf(pinned), pinned, now);
  observe(round, wholeKey, instance, observation, staged);
}

/** Whether an alert stands for the rule, which has series of its own. */
function isWhole({ query }: CompiledRule, key: string): boolean {
  return key === WHOLE_RULE && query.groupBy.length > 0;
}

function observe(
  { compiled, now, previousAt, budget }: RuleRound,
  key: string,
  instance: AlertInstance,
  observation: Observation,
  staged: StagedAlert[],
  isNew = false,
): void {
  const next = step(instance, observation, compiled.rule, now, previousAt);
  if (next.instance !== instance || (isNew && compiled.watchesAbsence)) stage(compiled, key, next, staged);
  else if (isStale(instance, observation, now) && budget.refreshes > 0) {
    budget.refreshes--;
    const value = observation.kind === 'value' ? observation.value : null;
    const refreshed = { ...instance, value, evidence: evidenceOf(observation), lastEvaluatedAt: now };
    stage(compiled, key, { instance: refreshed, transition: null }, staged);
  }
}

function isStale(instance: AlertInstance, observation: Observation, now: number): boolean {
  return (
    observation.kind === 'value' &&
    isActive(instance.state) &&
    now - instance.lastEvaluatedAt >= REFRESH_MS &&
    observation.value !== instance.value
  );
}

function stage(compiled: CompiledRule, key: string, { instance, transition }: Step, staged: StagedAlert[]): void {
  const tracked = instance.state !== 'normal' || compiled.watchesAbsence;
  staged.push({ compiled, key, instance, transition, tracked });
}

/** Ends an alert that its rule no longer asks for. */
export function stageEnd(
  compiled: CompiledRule,
  key: string,
  instance: AlertInstance,
  reason: AlertReason,
  now: number,
  staged: StagedAlert[],
): void {
  staged.push({ compiled, key, ...retire(instance, reason, now), tracked: false });
}

const GONE: Observation = { kind: 'no_data', samples: 0 };

export function observationOf({ value, samples }: MetricSample): Observation {
  return value === null ? { kind: 'no_data', samples } : { kind: 'value', value, samples };
}
