import { setImmediate as afterOthers } from 'node:timers/promises';
import { type DueRule, questionOf } from './askSource.ts';
import { evaluateRule, type StagedAlert, stageEnd } from './evaluateRule.ts';
import type { OwnedShard } from './ownedShard.ts';
import type { QueryAnswer } from './queryAnswer.ts';

/** Alerts that one process knows at most, and those of one rule. */
const MAX_ALERTS = 200_000;
const MAX_ALERTS_OF_RULE = 20_000;
/** Values stored again in one round. */
const MAX_REFRESHES = 1_000;
/** Longest time without letting the process do something else. */
const MAX_BUSY_MS = 10;

export interface DueShard {
  readonly shard: OwnedShard;
  readonly rules: readonly DueRule[];
}

export interface EvaluatedShard {
  readonly shard: OwnedShard;
  readonly ended: readonly StagedAlert[];
  readonly staged: readonly StagedAlert[];
  /** Only what is new: why a rule fails, or null when it does no longer. */
  readonly failures: ReadonlyMap<string, string | null>;
}

/** Lets every due rule decide. Changes nothing: what it gives counts when it is stored. */
export async function evaluateShards(
  due: readonly DueShard[],
  answers: ReadonlyMap<string, QueryAnswer | Error>,
  now: number,
): Promise<EvaluatedShard[]> {
  let room = MAX_ALERTS - due.reduce((sum, { shard }) => sum + shard.size, 0);
  let refreshes = MAX_REFRESHES;
  let busySince = performance.now();
  const evaluated: EvaluatedShard[] = [];
  for (const { shard, rules } of due) {
    const ended: StagedAlert[] = [];
    for (const { compiled, key, instance, reason } of shard.endings)
      stageEnd(compiled, key, instance, reason, now, ended);
    const staged: StagedAlert[] = [];
    const failures = new Map<string, string | null>();
    for (const rule of rules) {
      const { compiled, at } = rule;
      const { id, intervalMs } = compiled.rule;
      const tracked = shard.alertsOf(id);
      const given = Math.max(0, Math.min(room, MAX_ALERTS_OF_RULE - tracked.size));
      const budget = { alerts: given, refreshes };
      const previousAt = shard.evaluatedAt === null ? null : Math.floor(shard.evaluatedAt / intervalMs) * intervalMs;
      const answer = answers.get(questionOf(rule))!;
      const outcome = evaluateRule({ compiled, answer, tracked, now: at, previousAt, budget });
      for (const one of outcome.staged) staged.push(one);
      room -= given - budget.alerts;
      refreshes = budget.refreshes;
      if (outcome.failure !== (shard.failures.get(id) ?? null)) failures.set(id, outcome.failure);
      if (performance.now() - busySince > MAX_BUSY_MS) {
        await afterOthers();
        busySince = performance.now();
      }
    }
    evaluated.push({ shard, ended, staged, failures });
  }
  return evaluated;
}
