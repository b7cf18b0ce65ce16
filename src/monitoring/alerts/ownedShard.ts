import type { Kysely } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import { readFailures, readTracked, toInstance } from './alertQueries.ts';
import { type CompiledRule, compileRule, seriesKey } from './compiledRule.ts';
import type { StagedAlert } from './evaluateRule.ts';
import { readRevision, readRulesOf, type StoredRule } from './ruleQueries.ts';
import type { ClaimedShard, ShardClaim } from './shardQueries.ts';
import type { AlertInstance, AlertReason, AlertRule } from './types.ts';

/** An alert to be ended at the next occasion. */
interface Ending {
  readonly compiled: CompiledRule;
  readonly key: string;
  readonly instance: AlertInstance;
  readonly reason: AlertReason;
}

/** What a process knows of a shard while it owns it: the same as is stored, so that evaluating reads nothing. */
export class OwnedShard implements ShardClaim {
  readonly shard: number;
  readonly leaseToken: number;
  /** Milliseconds since the epoch. */
  evaluatedAt: number | null;
  readonly rules = new Map<string, CompiledRule>();
  readonly failures = new Map<string, string>();
  readonly #alerts = new Map<string, Map<string, AlertInstance>>();
  #endings: Ending[] = [];
  #size = 0;

  constructor({ shard, leaseToken, evaluatedAt }: ClaimedShard) {
    this.shard = shard;
    this.leaseToken = leaseToken;
    this.evaluatedAt = evaluatedAt?.getTime() ?? null;
  }

  /** Alerts it knows. */
  get size(): number {
    return this.#size;
  }

  alertsOf(ruleId: string): ReadonlyMap<string, AlertInstance> {
    return this.#alerts.get(ruleId) ?? NONE;
  }

  /** Alerts to be ended; they stay until `applied`. */
  get endings(): readonly Ending[] {
    return this.#endings;
  }

  /** Takes a rule as it is now. Alerts of what it was are to be ended when it no longer asks for them. */
  takeRule(stored: StoredRule): void {
    const compiled = compileRule(stored, stored.queryVersion);
    const before = this.rules.get(stored.id);
    const reason =
      retirement(stored) ?? (before && before.queryVersion !== compiled.queryVersion ? 'rule_changed' : null);
    if (reason !== null) this.#endAll(before ?? compiled, reason);
    if (retirement(stored) === null) this.rules.set(stored.id, compiled);
    else this.rules.delete(stored.id);
  }

  /** Takes a stored alert, after its rule. */
  takeAlert(instance: AlertInstance, queryVersion: number, stored: StoredRule): void {
    const compiled = this.rules.get(instance.ruleId) ?? compileRule(stored, stored.queryVersion);
    const key = seriesKey(instance.labels, compiled.query.groupBy);
    const reason = retirement(stored) ?? (queryVersion === stored.queryVersion ? null : 'rule_changed');
    if (reason === null) this.#set(compiled, key, instance);
    else if (instance.state !== 'normal') this.#endings.push({ compiled, key, instance, reason });
  }

  /** Has the alerts ended whose series are known to be gone for good. */
  endSeries(isGone: (instance: AlertInstance, rule: AlertRule) => boolean): void {
    for (const [ruleId, alerts] of this.#alerts)
      for (const [key, instance] of alerts) {
        const compiled = this.rules.get(ruleId)!;
        if (!isGone(instance, compiled.rule)) continue;
        this.#endings.push({ compiled, key, instance, reason: 'series_gone' });
        this.#delete(ruleId, key);
      }
  }

  *alerts(): Generator<AlertInstance> {
    for (const alerts of this.#alerts.values()) yield* alerts.values();
  }

  /** What was staged is stored, so from now on it is what is known. */
  applied(staged: readonly StagedAlert[], failures: ReadonlyMap<string, string | null>, at: number): void {
    this.#endings = [];
    for (const { compiled, key, instance, tracked } of staged)
      if (tracked) this.#set(compiled, key, instance);
      else this.#delete(compiled.rule.id, key);
    for (const [ruleId, error] of failures)
      if (error === null) this.failures.delete(ruleId);
      else this.failures.set(ruleId, error);
    this.evaluatedAt = Math.max(at, this.evaluatedAt ?? at);
  }

  #endAll(compiled: CompiledRule, reason: AlertReason): void {
    for (const [key, instance] of this.alertsOf(compiled.rule.id))
      this.#endings.push({ compiled, key, instance, reason });
    this.#size -= this.alertsOf(compiled.rule.id).size;
    this.#alerts.delete(compiled.rule.id);
  }

  #set({ rule }: CompiledRule, key: string, instance: AlertInstance): void {
    let alerts = this.#alerts.get(rule.id);
    if (alerts === undefined) {
      alerts = new Map();
      this.#alerts.set(rule.id, alerts);
    }
    if (!alerts.has(key)) this.#size++;
    alerts.set(key, instance);
  }

  #delete(ruleId: string, key: string): void {
    if (this.#alerts.get(ruleId)?.delete(key)) this.#size--;
  }
}

const NONE: ReadonlyMap<string, AlertInstance> = new Map();

function retirement({ enabled, deletedAt }: StoredRule): AlertReason | null {
  if (deletedAt !== null) return 'rule_deleted';
  return enabled ? null : 'rule_disabled';
}

/** Reads claimed shards. The revision is read first, so what changes meanwhile is read again. */
export async function openShards(
  db: Kysely<Schema>,
  claimed: readonly ClaimedShard[],
): Promise<{ shards: OwnedShard[]; revision: number }> {
  const revision = await readRevision(db);
  const numbers = claimed.map(({ shard }) => shard);
  const [rules, alerts, failures] = await Promise.all([
    readRulesOf(db, numbers, null),
    readTracked(db, numbers),
    readFailures(db, numbers),
  ]);
  const shards = new Map(claimed.map((claim) => [claim.shard, new OwnedShard(claim)]));
  const byId = new Map(rules.map((rule) => [rule.id, rule]));
  for (const rule of rules) shards.get(rule.shard)!.takeRule(rule);
  for (const row of alerts) {
    const rule = byId.get(row.rule_id);
    if (rule !== undefined) shards.get(rule.shard)!.takeAlert(toInstance(row), row.query_version, rule);
  }
  for (const [ruleId, error] of failures) {
    const rule = byId.get(ruleId);
    if (rule !== undefined) shards.get(rule.shard)!.failures.set(ruleId, error);
  }
  return { shards: [...shards.values()], revision };
}
