import { type Selectable, sql, type Transaction } from 'kysely';
import { acting } from '../audit/acting.ts';
import type { AuditEvent, AuditTrail } from '../audit/types.ts';
import type { Clock } from '../core/clock.ts';
import { errorMessage } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import type { Database } from '../store/database.ts';
import type { Schema } from '../store/schema.ts';
import type { RateLimitClearsTable, RateLimitsTable } from '../store/tables/rateLimits.ts';
import { keysOf } from './limitPlan.ts';
import type { RateLimitRule } from './types.ts';

/** What one replica changes, every other one knows this much later at most, and the time of a query. */
const POLL_MS = 400;
/** A replica that was not seen for this long is gone. */
const SEEN_SECONDS = 5;
const EVERY_INTEGRATION = '';

/**
 * What was set of limits and which replicas there are, kept in the database and known here. A replica makes itself
 * known with the same statement that asks for changes.
 */
export class LimitSettings {
  readonly #database: Database;
  readonly #audit: AuditTrail;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly replicaId = newId('replica');
  readonly #rules = new Map<string, RateLimitRule>();
  readonly #generations = new Map<string, number>();
  readonly #closing = new AbortController();
  readonly #changed: (() => void)[] = [];
  readonly #alsoRead: (() => Promise<void>)[] = [];
  #polling: Promise<void> | undefined;
  #reading: Promise<void> | undefined;
  #revision = -1;
  #replicas = 1;

  constructor(options: { database: Database; audit: AuditTrail; clock: Clock; log: Log }) {
    this.#database = options.database;
    this.#audit = options.audit;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Rises with every change that was read. */
  get revision(): number {
    return this.#revision;
  }

  /** This one included. */
  get replicas(): number {
    return this.#replicas;
  }

  /** Calls back whenever something that was set was read. */
  onChange(changed: () => void): void {
    this.#changed.push(changed);
  }

  /** Calls `read` whenever changes are asked for. */
  alsoRead(read: () => Promise<void>): void {
    this.#alsoRead.push(read);
  }

  /** Reads what was set, and goes on doing so until it is closed. */
  async open(): Promise<void> {
    await this.#readAll();
    this.#polling ??= this.#poll();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#polling;
    if (this.#revision < 0) return;
    await this.#database.db
      .deleteFrom('rate_limit_replicas')
      .where('id', '=', this.replicaId)
      .execute()
      .catch(() => {});
  }

  /** The fields that were set of it, or undefined. */
  ruleOf(integrationId: string, action: string): RateLimitRule | undefined {
    return this.#rules.get(keyOf(integrationId, action));
  }

  generationOf(integrationId: string): number {
    return Math.max(this.#generations.get(integrationId) ?? 0, this.#generations.get(EVERY_INTEGRATION) ?? 0);
  }

  /** Sets these fields, and leaves the others as they were set. When it resolves, they count here. */
  async adjust(integrationId: string, action: string, rule: RateLimitRule): Promise<void> {
    await this.#database.transaction(async (tx) => {
      const revision = await raiseRevision(tx);
      await sql`
        insert into rate_limits (integration_id, action, config, revision)
        values (${integrationId}, ${action}, ${JSON.stringify(rule)}::jsonb, ${revision})
        on conflict (integration_id, action) do update
        set config = rate_limits.config || excluded.config, revision = excluded.revision, updated_at = now()
      `.execute(tx);
      await this.#audit.record(tx, adjusted(integrationId, action, rule));
    });
    await this.refresh();
  }

  /** Starts a new generation of an integration's keys, or of all. When it resolves, it counts here. */
  async startGeneration(integrationId: string = EVERY_INTEGRATION): Promise<void> {
    await this.#database.transaction(async (tx) => {
      const revision = await raiseRevision(tx);
      await tx
        .insertInto('rate_limit_clears')
        .values({ integration_id: integrationId, revision })
        .onConflict((conflict) => conflict.column('integration_id').doUpdateSet({ revision }))
        .execute();
    });
    await this.refresh();
  }

  /**
   * Deletes what was set for an integration, what was learned of it, and what it used where that is counted in the
   * database; in Redis that ends by itself with its windows.
   */
  async forget(tx: Transaction<Schema>, integrationId: string): Promise<void> {
    const isOfIt = { integration_id: integrationId };
    const set = await sql<{ any: boolean }>`
      select exists (select from rate_limits where integration_id = ${integrationId})
          or exists (select from rate_limit_clears where integration_id = ${integrationId}) as any`.execute(tx);
    // First, as every change does, so that none waits for another.
    if (set.rows[0]!.any) await raiseRevision(tx);
    for (const table of ['rate_limits', 'rate_limit_clears', 'rate_limit_learned'] as const) {
      await tx
        .deleteFrom(table)
        .where((eb) => eb.and(isOfIt))
        .execute();
    }
    const prefix = keysOf(integrationId).replaceAll(/[\\%_]/g, '\\$&');
    await tx.deleteFrom('rate_limit_usage').where('key', 'like', `${prefix}%`).execute();
  }

  /** Reads what has changed since the last time. Whoever asks gets what was committed before. */
  async refresh(): Promise<void> {
    // One that is under way may have read before the change that the caller wants to see.
    await this.#reading?.catch(() => {});
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
  }

  async #readAll(): Promise<void> {
    await this.refresh();
    for (const read of this.#alsoRead) await read();
  }

  async #read(): Promise<void> {
    const { db } = this.#database;
    const seen = await sql<{ revision: number; replicas: number }>`
      with beat as (
        insert into rate_limit_replicas (id, seen_at) values (${this.replicaId}, clock_timestamp())
        on conflict (id) do update set seen_at = excluded.seen_at
      )
      select revision, (
        select count(*) from rate_limit_replicas
        where id <> ${this.replicaId} and seen_at > clock_timestamp() - make_interval(secs => ${SEEN_SECONDS})
      ) + 1 as replicas
      from rate_limit_revision`.execute(db);
    const { revision, replicas } = seen.rows[0]!;
    this.#replicas = replicas;
    if (revision === this.#revision) return;
    const since = this.#revision;
    const rules = await db.selectFrom('rate_limits').selectAll().where('revision', '>', since).execute();
    const clears = await db.selectFrom('rate_limit_clears').selectAll().where('revision', '>', since).execute();
    this.#take(rules, clears);
    // Deleted rows are seen by their number only.
    const { kept } = await sql<{ kept: number }>`
      select (select count(*) from rate_limits) + (select count(*) from rate_limit_clears) as kept`
      .execute(db)
      .then(({ rows }) => rows[0]!);
    if (kept !== this.#rules.size + this.#generations.size) await this.#readAnew();
    this.#revision = revision;
    for (const changed of this.#changed) changed();
  }

  async #readAnew(): Promise<void> {
    const { db } = this.#database;
    const rules = await db.selectFrom('rate_limits').selectAll().execute();
    const clears = await db.selectFrom('rate_limit_clears').selectAll().execute();
    this.#rules.clear();
    this.#generations.clear();
    this.#take(rules, clears);
  }

  #take(rules: readonly Selectable<RateLimitsTable>[], clears: readonly Selectable<RateLimitClearsTable>[]): void {
    for (const row of rules) this.#rules.set(keyOf(row.integration_id, row.action), row.config as RateLimitRule);
    for (const row of clears) this.#generations.set(row.integration_id, row.revision);
  }

  async #poll(): Promise<void> {
    const { signal } = this.#closing;
    let reachable = true;
    for (;;) {
      await this.#clock.sleep(POLL_MS, signal, { keepAlive: false }).catch(() => {});
      if (signal.aborted) return;
      try {
        await this.#readAll();
        reachable = true;
      } catch (error) {
        if (reachable) this.#log.warn('Changes of rate limits cannot be read', { reason: errorMessage(error) });
        reachable = false;
      }
    }
  }
}

function keyOf(integrationId: string, action: string): string {
  return `${integrationId}\n${action}`;
}

/** Held until the transaction ends, so changes are seen in the order of their numbers. */
async function raiseRevision(tx: Transaction<Schema>): Promise<number> {
  const { revision } = await tx
    .updateTable('rate_limit_revision')
    .set((eb) => ({ revision: eb('revision', '+', 1) }))
    .returning('revision')
    .executeTakeFirstOrThrow();
  return revision;
}

function adjusted(integrationId: string, action: string, rule: RateLimitRule): AuditEvent {
  return {
    ...acting(),
    action: 'rate_limit.adjusted',
    outcome: 'success',
    target: { kind: 'integration', id: integrationId },
    integrationId,
    details: { limited: action, ...rule },
  };
}
