import { sql, type Transaction } from 'kysely';
import { acting } from '../audit/acting.ts';
import type { AuditEvent, AuditTrail } from '../audit/types.ts';
import type { Clock } from '../core/clock.ts';
import { errorMessage } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { Log } from '../core/log.ts';
import { type PollLoop, startPollLoop } from '../core/pollLoop.ts';
import type { Database } from '../store/database.ts';
import type { Schema } from '../store/schema.ts';
import type { LogRecorder } from './logRecorder.ts';
import { EVERY_SCOPE } from './logRecorder.ts';
import { type LogLevel, levelOf, SEVERITIES } from './types.ts';

/** What one replica changes, every other one follows this much later at most, and the time of a query. */
const POLL_MS = 1_000;
/** In `log_retention`, for all levels. */
const EVERY_LEVEL = 0;
const MAX_RULES = 10_000;

/** For how many days records are kept, where no rule says otherwise. */
export const DEFAULT_KEEP_DAYS: Readonly<Record<LogLevel, number>> = {
  debug: 3,
  verbose: 7,
  info: 30,
  warn: 90,
  error: 90,
  critical: 365,
};

/** How long records of one scope ('*' for all) and one level (null for all) are kept. */
export interface RetentionRule {
  readonly scope: string;
  readonly level: LogLevel | null;
  readonly keepDays: number;
}

export interface Retention {
  readonly rules: readonly RetentionRule[];
  readonly defaults: Readonly<Record<LogLevel, number>>;
  /** When the records take more than this, the oldest days go first. Null for no limit. */
  readonly maxBytes: number | null;
}

interface Parts {
  readonly database: Database;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  readonly log: Log;
  readonly recorder: LogRecorder;
}

/** What was set of levels and retention: kept in the database, followed by every replica, and audited. */
export class LogSettings {
  readonly #parts: Parts;
  #revision = -1;
  #levels: ReadonlyMap<string, number> = new Map();
  #reachable = true;
  #loop: PollLoop | null = null;
  #reading: Promise<void> | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Follows what is set, on this replica and on others. */
  start(): void {
    this.#loop ??= startPollLoop(() => this.#step(), this.#parts.clock);
  }

  async close(): Promise<void> {
    await this.#loop?.stop();
  }

  /** What is set of levels, by scope; '*' is for all. */
  async levels(): Promise<Record<string, LogLevel>> {
    await this.refresh();
    return Object.fromEntries([...this.#levels].map(([scope, severity]) => [scope, levelOf(severity)]));
  }

  /** Sets from which level on records of a scope are taken; null takes the setting back. When it resolves, it counts here. */
  async setLevel(scope: string, level: LogLevel | null): Promise<void> {
    await this.#change(async (tx) => {
      const before = await tx.selectFrom('log_levels').select('severity').where('scope', '=', scope).executeTakeFirst();
      if (level === null) await tx.deleteFrom('log_levels').where('scope', '=', scope).execute();
      else await insertLevel(tx, scope, SEVERITIES[level]);
      return {
        ...changeOf(scope, 'log_level.changed'),
        before: { level: before === undefined ? null : levelOf(before.severity) },
        after: { level },
      };
    });
  }

  async retention(): Promise<Retention> {
    const { db } = this.#parts.database;
    const rows = await db
      .selectFrom('log_retention')
      .selectAll()
      .orderBy('scope')
      .orderBy('severity')
      .limit(MAX_RULES)
      .execute();
    const { max_bytes } = await db.selectFrom('log_settings').select('max_bytes').executeTakeFirstOrThrow();
    const rules = rows.map(({ scope, severity, keep_days }) => ({
      scope,
      level: severity === EVERY_LEVEL ? null : levelOf(severity),
      keepDays: keep_days,
    }));
    return { rules, defaults: DEFAULT_KEEP_DAYS, maxBytes: max_bytes };
  }

  /**
   * Sets rules, each in place of the one for the same scope and level (null days take it back), and how much room
   * records may take (null: no limit). All of it or nothing.
   */
  async changeRetention(change: {
    readonly rules?: readonly {
      readonly scope: string;
      readonly level: LogLevel | null;
      readonly keepDays: number | null;
    }[];
    readonly maxBytes?: number | null;
  }): Promise<void> {
    const { rules = [], maxBytes } = change;
    await this.#change(async (tx) => {
      for (const { scope, level, keepDays } of rules) {
        const severity = level === null ? EVERY_LEVEL : SEVERITIES[level];
        await tx.deleteFrom('log_retention').where('scope', '=', scope).where('severity', '=', severity).execute();
        if (keepDays === null) continue;
        await tx.insertInto('log_retention').values({ scope, severity, keep_days: keepDays }).execute();
      }
      if (maxBytes !== undefined) await tx.updateTable('log_settings').set({ max_bytes: maxBytes }).execute();
      return {
        ...changeOf(EVERY_SCOPE, 'log_retention.changed'),
        details: { rules: rules.map((rule) => ({ ...rule })), ...(maxBytes === undefined ? {} : { maxBytes }) },
      };
    });
  }

  /** Reads what has changed since the last time. Whoever asks gets what was committed before. */
  async refresh(): Promise<void> {
    // One that is under way may have read before the change that the caller wants to see.
    await this.#reading?.catch(() => {});
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    await this.#reading;
  }

  async #change(change: (tx: Transaction<Schema>) => Promise<AuditEvent>): Promise<void> {
    const { database, audit } = this.#parts;
    await database.transaction(async (tx) => {
      // Held until the commit, so that one change follows the other.
      await sql`update log_settings set revision = revision + 1`.execute(tx);
      await audit.record(tx, await change(tx));
    });
    await this.refresh();
  }

  async #read(): Promise<void> {
    const { db } = this.#parts.database;
    const { revision } = await db.selectFrom('log_settings').select('revision').executeTakeFirstOrThrow();
    if (revision === this.#revision) return;
    const rows = await db.selectFrom('log_levels').select(['scope', 'severity']).limit(MAX_RULES).execute();
    this.#levels = new Map(rows.map(({ scope, severity }) => [scope, severity]));
    this.#revision = revision;
    this.#parts.recorder.useLevels(this.#levels);
  }

  async #step(): Promise<number> {
    try {
      await this.refresh();
      this.#reachable = true;
    } catch (error) {
      if (this.#reachable) this.#parts.log.warn('Log levels cannot be read', { reason: errorMessage(error) });
      this.#reachable = false;
    }
    return POLL_MS;
  }
}

async function insertLevel(tx: Transaction<Schema>, scope: string, severity: number): Promise<void> {
  await tx
    .insertInto('log_levels')
    .values({ scope, severity })
    .onConflict((conflict) => conflict.column('scope').doUpdateSet({ severity, updated_at: sql`now()` }))
    .execute();
}

function changeOf(scope: string, action: string): AuditEvent & { details?: JsonObject } {
  const integration = scope.startsWith('int_') ? { integrationId: scope } : {};
  return { ...acting(), action, outcome: 'success', target: { kind: 'logs', id: scope }, ...integration };
}
