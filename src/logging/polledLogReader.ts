import type { Clock } from '../core/clock.ts';
import { invalidInput } from '../core/input.ts';
import { type PollLoop, startPollLoop } from '../core/pollLoop.ts';
import type { Database } from '../store/database.ts';
import { toIntegrationLog } from './storedLogs.ts';
import { type IntegrationLog, type LogOptions, type LogPage, type LogReader, SEVERITIES } from './types.ts';

const POLL_MS = 250;
const BATCH = 1_000;
const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

interface Follower {
  readonly onLog: (log: IntegrationLog) => void;
  readonly scope: string | undefined;
}

/** Reads records by their columns, and follows them by asking for what is new four times a second. */
export class PolledLogReader implements LogReader {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #followers = new Set<Follower>();
  #loop: PollLoop | null = null;
  #last: number | null = null;

  constructor(parts: { readonly database: Database; readonly clock: Clock }) {
    this.#database = parts.database;
    this.#clock = parts.clock;
  }

  async read(scope: string | readonly string[] | null, options: LogOptions = {}): Promise<LogPage> {
    const limit = Math.min(Math.max(options.limit ?? 100, 1), BATCH);
    const { from, to } = boundsOf(options.timeRange, this.#clock.now());
    let query = this.#database.db
      .selectFrom('logs')
      .selectAll()
      .orderBy('seq', 'desc')
      .limit(limit + 1);
    if (scope !== null) query = query.where('integration_id', 'in', typeof scope === 'string' ? [scope] : [...scope]);
    if (options.level !== undefined) query = query.where('severity', '>=', SEVERITIES[options.level]);
    if (options.levels !== undefined)
      query = query.where(
        'severity',
        'in',
        options.levels.map((level) => SEVERITIES[level]),
      );
    if (options.operationId !== undefined) query = query.where('operation_id', '=', options.operationId);
    if (options.traceId !== undefined) query = query.where('trace_id', '=', options.traceId);
    if (options.searchQuery !== undefined)
      query = query.where('message', 'ilike', `%${options.searchQuery.replace(/[\\%_]/g, '\\$&')}%`);
    if (options.cursor !== undefined) query = query.where('seq', '<', Number(options.cursor));
    if (from !== null) query = query.where('observed_at', '>=', from);
    if (to !== null) query = query.where('observed_at', '<', to);
    const rows = await query.execute();
    const logs = rows.slice(0, limit).map(toIntegrationLog);
    return { logs, nextCursor: rows.length > limit ? String(logs.at(-1)!.seq) : null };
  }

  subscribe(onLog: (log: IntegrationLog) => void, scope?: string): () => void {
    const follower = { onLog, scope };
    this.#followers.add(follower);
    this.#loop ??= startPollLoop(() => this.#poll(), this.#clock);
    return () => {
      this.#followers.delete(follower);
    };
  }

  async close(): Promise<void> {
    await this.#loop?.stop();
  }

  async #poll(): Promise<number> {
    if (this.#followers.size === 0) {
      this.#last = null;
      return POLL_MS;
    }
    try {
      const rows = await this.#newRows();
      for (const row of rows) this.#tell(toIntegrationLog(row));
      return rows.length === BATCH ? 0 : POLL_MS;
    } catch {
      // The database is away; what is written meanwhile comes when it is back.
      return POLL_MS * 4;
    }
  }

  async #newRows() {
    const { db } = this.#database;
    if (this.#last === null) {
      const { next } = await db.selectFrom('log_sequence').select('next').executeTakeFirstOrThrow();
      this.#last = next - 1;
      return [];
    }
    const rows = await db
      .selectFrom('logs')
      .selectAll()
      .where('seq', '>', this.#last)
      .orderBy('seq')
      .limit(BATCH)
      .execute();
    this.#last = rows.at(-1)?.seq ?? this.#last;
    return rows;
  }

  #tell(log: IntegrationLog): void {
    for (const { onLog, scope } of this.#followers) {
      if (scope !== undefined && scope !== log.integrationId) continue;
      try {
        onLog(log);
      } catch {
        // Its own matter.
      }
    }
  }
}

function boundsOf(range: LogOptions['timeRange'], nowMs: number): { from: Date | null; to: Date | null } {
  if (range === undefined) return { from: null, to: null };
  if (typeof range !== 'string') {
    const time = (value: string | Date | undefined) => (value === undefined ? null : new Date(value));
    return { from: time(range.from), to: time(range.to) };
  }
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(range) ?? [];
  if (count === undefined) {
    throw invalidInput('The search', [{ pointer: '/timeRange', detail: 'takes a duration such as 15m, 24h or 7d.' }]);
  }
  return { from: new Date(nowMs - Number(count) * UNITS_MS[unit]!), to: null };
}
