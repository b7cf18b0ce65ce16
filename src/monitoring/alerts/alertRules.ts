import { createHash } from 'node:crypto';
import { type Kysely, sql, type Transaction } from 'kysely';
import { acting } from '../../audit/acting.ts';
import { describeChange } from '../../audit/describeChange.ts';
import type { AuditEvent, AuditTrail } from '../../audit/types.ts';
import { ConflictError } from '../../core/errors.ts';
import { namedId, newIdName } from '../../core/ids.ts';
import { invalidInput, parseInput } from '../../core/input.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Database } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';
import { AlertRuleNotFoundError } from './errors.ts';
import { definitionOf, type RuleRow, raiseCounter, type StoredRule, toStoredRule } from './ruleQueries.ts';
import {
  type CreateRuleData,
  measuresElse,
  parseRule,
  type RuleData,
  type UpdateRuleData,
  updateRuleSchema,
} from './ruleSchema.ts';
import type { AlertKind, Severity } from './types.ts';

const MAX_RULES = 20_000;
const SHARDS = 16;

export interface RuleFilter {
  readonly kind?: AlertKind;
  readonly severity?: Severity;
  readonly enabled?: boolean;
  readonly metric?: string;
}

/** A rule, and why it could not be evaluated of late. */
export interface ListedRule extends StoredRule {
  readonly failure: string | null;
}

/** The rules that there are. Every change is seen by whoever evaluates within one round. */
export class AlertRules {
  readonly #database: Database;
  readonly #audit: AuditTrail;

  constructor(database: Database, audit: AuditTrail) {
    this.#database = database;
    this.#audit = audit;
  }

  /** In the order they were made. */
  async list(filter: RuleFilter, after: string | null, limit: number): Promise<ListedRule[]> {
    const { rows } = await sql<RuleRow & { failure: string | null }>`
      select r.*, f.error as failure
      from alert_rules r left join alert_rule_failures f on f.rule_id = r.id and r.enabled
      where r.deleted_at is null
        ${after === null ? sql`` : sql`and r.id > ${after}`}
        ${filter.kind === undefined ? sql`` : sql`and r.kind = ${filter.kind}`}
        ${filter.severity === undefined ? sql`` : sql`and r.severity = ${filter.severity}`}
        ${filter.enabled === undefined ? sql`` : sql`and r.enabled = ${filter.enabled}`}
        ${filter.metric === undefined ? sql`` : sql`and r.metric = ${filter.metric}`}
      order by r.id limit ${limit}`.execute(this.#database.db);
    return rows.map((row) => ({ ...toStoredRule(row), failure: row.failure }));
  }

  /** @throws AlertRuleNotFoundError */
  async get(id: string): Promise<ListedRule> {
    const { rows } = await sql<RuleRow & { failure: string | null }>`
      select r.*, f.error as failure
      from alert_rules r left join alert_rule_failures f on f.rule_id = r.id and r.enabled
      where r.id = ${id} and r.deleted_at is null`.execute(this.#database.db);
    const [row] = rows;
    if (row === undefined) throw new AlertRuleNotFoundError(id);
    return { ...toStoredRule(row), failure: row.failure };
  }

  /**
   * `name` makes it repeatable: a rule made under this name before is given back.
   * @throws InvalidInputError
   */
  async create(data: CreateRuleData, name: string = newIdName()): Promise<ListedRule> {
    const rule = parseRule(data);
    const id = namedId('alertRule', name);
    await this.#database.transaction(async (tx) => {
      const revision = await raiseCounter(tx, 'rules', 1);
      const { count } = await tx
        .selectFrom('alert_rules')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('deleted_at', 'is', null)
        .executeTakeFirstOrThrow();
      if (Number(count) >= MAX_RULES)
        throw invalidInput('The alert rule', [
          { pointer: '', detail: `There are ${MAX_RULES} rules already, which is the limit.` },
        ]);
      if (!(await insertRule(tx, id, rule, revision, null))) return;
      await this.#audit.record(tx, { ...changeOf(id, 'alert_rule.created'), ...describeChange(null, toAudit(rule)) });
    });
    return this.get(id);
  }

  /**
   * What is left out stays. Alerts go on, unless something else is measured: then they end.
   * @throws InvalidInputError, AlertRuleNotFoundError, ConflictError
   */
  async update(id: string, data: UpdateRuleData): Promise<ListedRule> {
    const { version, ...change } = parseInput(updateRuleSchema, data, 'The change');
    await this.#database.transaction(async (tx) => {
      const revision = await raiseCounter(tx, 'rules', 1);
      const stored = await lockRule(tx, id);
      if (version !== undefined && version !== stored.version)
        throw new ConflictError(`Alert rule ${id} is at version ${stored.version}, not ${version}.`, {
          details: { ruleId: id, version: stored.version },
        });
      const before = dataOf(stored);
      const after = parseRule({ ...before, ...change } as CreateRuleData);
      await tx
        .updateTable('alert_rules')
        .set({
          name: after.name,
          kind: after.kind,
          severity: after.severity,
          metric: after.metric,
          enabled: after.enabled,
          definition: JSON.stringify(definitionOf(after)),
          version: stored.version + 1,
          query_version: stored.queryVersion + (measuresElse(before, after) ? 1 : 0),
          revision,
          updated_at: sql`now()`,
        })
        .where('id', '=', id)
        .execute();
      await this.#audit.record(tx, {
        ...changeOf(id, 'alert_rule.updated'),
        ...describeChange(toAudit(before), toAudit(after)),
      });
    });
    return this.get(id);
  }

  /** Its alerts end within a round. @throws AlertRuleNotFoundError */
  async delete(id: string): Promise<void> {
    await this.#database.transaction(async (tx) => {
      const revision = await raiseCounter(tx, 'rules', 1);
      const stored = await lockRule(tx, id);
      await tx
        .updateTable('alert_rules')
        .set({ revision, deleted_at: sql`now()`, version: stored.version + 1 })
        .where('id', '=', id)
        .execute();
      await this.#audit.record(tx, {
        ...changeOf(id, 'alert_rule.deleted'),
        ...describeChange(toAudit(dataOf(stored)), null),
      });
    });
  }

  /**
   * Makes the rules that come with the product, those that were never there: one that was changed stays changed, and
   * one that was deleted stays deleted.
   * @param rules by a key that never changes
   */
  async seed(rules: Readonly<Record<string, CreateRuleData>>): Promise<void> {
    const keys = Object.keys(rules);
    const known = await this.#database.db
      .selectFrom('alert_rules')
      .select('default_key')
      .where('default_key', 'in', keys)
      .execute();
    const missing = keys.filter((key) => !known.some(({ default_key }) => default_key === key));
    if (missing.length === 0) return;
    await this.#database.transaction(async (tx) => {
      const revision = await raiseCounter(tx, 'rules', 1);
      for (const key of missing)
        await insertRule(tx, namedId('alertRule', newIdName()), parseRule(rules[key]!), revision, key);
    });
  }
}

/** False when there is one of this id or key. */
async function insertRule(
  tx: Transaction<Schema>,
  id: string,
  rule: RuleData,
  revision: number,
  defaultKey: string | null,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('alert_rules')
    .values({
      id,
      shard: shardOf(id),
      name: rule.name,
      kind: rule.kind,
      severity: rule.severity,
      metric: rule.metric,
      enabled: rule.enabled,
      definition: JSON.stringify(definitionOf(rule)),
      revision,
      default_key: defaultKey,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/** Spreads rules evenly, and any one always to the same place. */
export function shardOf(ruleId: string): number {
  return createHash('sha256').update(ruleId).digest()[0]! % SHARDS;
}

async function lockRule(tx: Kysely<Schema>, id: string): Promise<StoredRule> {
  const { rows } = await sql<RuleRow>`
    select * from alert_rules where id = ${id} and deleted_at is null for update`.execute(tx);
  if (rows[0] === undefined) throw new AlertRuleNotFoundError(id);
  return toStoredRule(rows[0]);
}

function dataOf(stored: StoredRule): RuleData {
  const {
    id: _id,
    version: _version,
    queryVersion: _queryVersion,
    shard: _shard,
    isDefault: _isDefault,
    createdAt: _createdAt,
    updatedAt: _updatedAt,
    deletedAt: _deletedAt,
    ...rule
  } = stored;
  return rule;
}

function changeOf(id: string, action: string): AuditEvent {
  return { ...acting(), action, outcome: 'success', target: { kind: 'alertRule', id } };
}

function toAudit(rule: RuleData): JsonObject {
  return { ...rule } as unknown as JsonObject;
}
