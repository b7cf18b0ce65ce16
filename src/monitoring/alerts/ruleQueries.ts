import { type Kysely, sql, type Transaction } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import type { AlertRule } from './types.ts';

/** A rule as it is kept. */
export interface StoredRule extends AlertRule {
  readonly version: number;
  readonly queryVersion: number;
  readonly shard: number;
  /** Comes with the product. */
  readonly isDefault: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly deletedAt: Date | null;
}

/** The fields that have no column of their own. */
export type RuleDefinition = Omit<AlertRule, 'id' | 'name' | 'kind' | 'severity' | 'metric' | 'enabled'>;

export interface RuleRow {
  id: string;
  shard: number;
  name: string;
  kind: string;
  severity: string;
  metric: string;
  enabled: boolean;
  definition: RuleDefinition;
  version: number;
  query_version: number;
  default_key: string | null;
  created_at: Date;
  updated_at: Date;
  deleted_at: Date | null;
}

export function toStoredRule(row: RuleRow): StoredRule {
  return {
    ...row.definition,
    id: row.id,
    name: row.name,
    kind: row.kind as AlertRule['kind'],
    severity: row.severity as AlertRule['severity'],
    metric: row.metric,
    enabled: row.enabled,
    version: row.version,
    queryVersion: row.query_version,
    shard: row.shard,
    isDefault: row.default_key !== null,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
  };
}

export function definitionOf(rule: Omit<AlertRule, 'id'>): RuleDefinition {
  const { name: _name, kind: _kind, severity: _severity, metric: _metric, enabled: _enabled, ...definition } = rule;
  return definition;
}

/** Held until the transaction ends, so changes are seen in the order of their numbers. */
export async function raiseCounter(tx: Transaction<Schema>, name: 'rules' | 'changes', by: number): Promise<number> {
  const { value } = await tx
    .updateTable('alert_counters')
    .set((eb) => ({ value: eb('value', '+', by) }))
    .where('name', '=', name)
    .returning('value')
    .executeTakeFirstOrThrow();
  return value;
}

export async function readRevision(db: Kysely<Schema>): Promise<number> {
  const row = await db
    .selectFrom('alert_counters')
    .select('value')
    .where('name', '=', 'rules')
    .executeTakeFirstOrThrow();
  return row.value;
}

/**
 * What evaluating these shards takes: rules that are evaluated, and those that are not but may have alerts to end.
 * @param after only rules changed since this revision
 */
export async function readRulesOf(
  db: Kysely<Schema>,
  shards: readonly number[],
  after: number | null,
): Promise<StoredRule[]> {
  const { rows } = await sql<RuleRow>`
    select * from alert_rules r
    where shard = any(${[...shards]}::smallint[])
      and ${
        after === null
          ? sql`((enabled and deleted_at is null)
               or exists (select from alert_instances i where i.rule_id = r.id and i.state <> 'normal'))`
          : sql`revision > ${after}`
      }`.execute(db);
  return rows.map(toStoredRule);
}
