import { askSource } from './askSource.ts';
import { type CompiledRule, compileRule, seriesKey } from './compiledRule.ts';
import { type Condition, conditionOf } from './condition.ts';
import { evaluateRule, observationOf, type StagedAlert } from './evaluateRule.ts';
import type { QueryAnswer } from './queryAnswer.ts';
import type { AlertInstance, AlertReason, AlertRule, AlertState, MetricSource } from './types.ts';

const MAX_SERIES_SHOWN = 200;
const MAX_ALERTS_PREVIEWED = 2_000;
/** Evaluations of a preview at most. */
export const MAX_PREVIEW_EVALUATIONS = 240;

type Labels = Readonly<Record<string, string>>;

export interface Trial {
  readonly source: MetricSource;
  /** Of these labels, those that may be shown. */
  readonly visible: (labels: readonly Labels[]) => Promise<ReadonlySet<Labels>>;
  readonly signal: AbortSignal;
}

/** What a rule finds of one series now, and what it would make of its alert. */
interface TriedSeries {
  readonly labels: Labels;
  readonly value: number | null;
  readonly samples: number;
  readonly condition: Condition['holds'];
  readonly state: AlertState;
  readonly nextState: AlertState;
}

export interface TriedRule {
  readonly at: number;
  /** Why the query failed; null when it did not. */
  readonly error: string | null;
  /** Series that the rule is about, and those of them that breach its threshold. */
  readonly total: number;
  readonly breached: number;
  /** At most 200, those that breach first. */
  readonly series: readonly TriedSeries[];
}

/** Evaluates a rule for the time `now`, beside the alerts that there are, and stores nothing. */
export async function tryRule(
  trial: Trial,
  rule: AlertRule,
  alerts: readonly AlertInstance[],
  now: number,
): Promise<TriedRule> {
  const compiled = compileRule(rule, 1);
  const answer = await ask(trial, compiled, now);
  if (answer instanceof Error) return { at: now, error: answer.message, total: 0, breached: 0, series: [] };
  const tracked = new Map(alerts.map((alert) => [seriesKey(alert.labels, compiled.query.groupBy), alert]));
  const budget = { alerts: MAX_ALERTS_PREVIEWED, refreshes: 0 };
  const { staged } = evaluateRule({ compiled, answer, tracked, now, previousAt: now - rule.intervalMs, budget });
  const next = new Map(staged.map(({ key, instance }) => [key, instance.state]));
  const rows = answer.rowsOf(compiled);
  const shown = await trial.visible(rows.map((row) => answer.samples[row]!.labels));
  const all = rows.flatMap((row): TriedSeries[] => {
    const sample = answer.samples[row]!;
    if (!shown.has(sample.labels)) return [];
    const key = answer.keyOf(row);
    const state = tracked.get(key)?.state ?? 'normal';
    const condition = conditionOf(observationOf(sample), rule).holds;
    return [{ ...sample, condition, state, nextState: next.get(key) ?? state }];
  });
  const breached = all.filter(({ condition }) => condition === 'breached');
  const others = all.filter(({ condition }) => condition !== 'breached');
  return {
    at: now,
    error: null,
    total: all.length,
    breached: breached.length,
    series: [...breached, ...others].slice(0, MAX_SERIES_SHOWN),
  };
}

interface PreviewedAlert {
  readonly labels: Labels;
  readonly transitions: readonly {
    readonly at: number;
    readonly from: AlertState;
    readonly to: AlertState;
    readonly reason: AlertReason;
    readonly value: number | null;
  }[];
}

export interface Preview {
  readonly from: number;
  readonly to: number;
  readonly evaluations: number;
  readonly failedEvaluations: number;
  /** Why the last failed evaluation failed. */
  readonly error: string | null;
  /** At most 200, those that changed most first. */
  readonly alerts: readonly PreviewedAlert[];
}

/** Replays the time up to `now`: what the rule would have made of it, had it been there with no alert before. */
export async function previewRule(trial: Trial, rule: AlertRule, rangeMs: number, now: number): Promise<Preview> {
  const compiled = compileRule(rule, 1);
  const { intervalMs } = rule;
  const to = Math.floor(now / intervalMs) * intervalMs;
  const evaluations = Math.min(MAX_PREVIEW_EVALUATIONS, Math.floor(rangeMs / intervalMs) + 1);
  const from = to - (evaluations - 1) * intervalMs;
  const tracked = new Map<string, AlertInstance>();
  const alerts = new Map<string, { labels: Labels; transitions: PreviewedAlert['transitions'][number][] }>();
  const budget = { alerts: MAX_ALERTS_PREVIEWED, refreshes: 0 };
  let failedEvaluations = 0;
  let error: string | null = null;
  for (let at = from; at <= to; at += intervalMs) {
    const answer = await ask(trial, compiled, at);
    const previousAt = at === from ? null : at - intervalMs;
    const outcome = evaluateRule({ compiled, answer, tracked, now: at, previousAt, budget });
    if (outcome.failure !== null) {
      failedEvaluations++;
      error = outcome.failure;
    }
    for (const staged of outcome.staged) {
      if (staged.tracked) tracked.set(staged.key, staged.instance);
      else tracked.delete(staged.key);
      note(alerts, staged);
    }
  }
  const changed = [...alerts.values()].sort((a, b) => b.transitions.length - a.transitions.length);
  const shown = await trial.visible(changed.map(({ labels }) => labels));
  const visible = changed.filter(({ labels }) => shown.has(labels)).slice(0, MAX_SERIES_SHOWN);
  return { from, to, evaluations, failedEvaluations, error, alerts: visible };
}

function note(
  alerts: Map<string, { labels: Labels; transitions: PreviewedAlert['transitions'][number][] }>,
  { key, instance, transition }: StagedAlert,
): void {
  if (transition === null) return;
  const { labels, lastEvaluatedAt: at, reason, value } = instance;
  const alert = alerts.get(key) ?? { labels, transitions: [] };
  alert.transitions.push({ at, ...transition, reason, value });
  alerts.set(key, alert);
}

async function ask({ source, signal }: Trial, compiled: CompiledRule, at: number): Promise<QueryAnswer | Error> {
  const [answer] = (await askSource(source, [{ compiled, at }], signal)).values();
  return answer!;
}
