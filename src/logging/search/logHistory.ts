import { sql } from 'kysely';
import { type Clock, systemClock } from '../../core/clock.ts';
import type { Database } from '../../store/database.ts';
import { toIntegrationLog } from '../storedLogs.ts';
import type { IntegrationLog, LogOptions, LogPage } from '../types.ts';
import { BoundedReads, SEARCH_TIMEOUT_MS } from './boundedRead.ts';
import type { LogFilter, TextField } from './filter.ts';
import { filterSql } from './filterSql.ts';
import { countBuckets, type LogHistogram } from './histogram.ts';
import {
  decodeLogCursor,
  encodeLogCursor,
  type LogChoice,
  MAX_PAGE_RECORDS,
  pageLimit,
  readChoice,
} from './logQuery.ts';
import type { LogRow } from './logRows.ts';
import { type LogScope, scopeCondition } from './logScope.ts';
import { newestRows, type RowSearch } from './newestRows.ts';
import type { TimeBounds } from './timeRange.ts';

/** Read at a time for an export. */
const EXPORT_PAGE_RECORDS = 1_000;
/** A page of an export may look at more than one of a list: nobody waits for it to be drawn. */
const EXPORT_TIMEOUT_MS = 15_000;

/** Finds what is stored in the logs. */
export class LogHistory {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #reads: BoundedReads;
  readonly #timeoutMs: number;

  /** @param parts `timeoutMs`: how long a search may take the database; default three seconds */
  constructor(parts: { readonly database: Database; readonly clock?: Clock; readonly timeoutMs?: number }) {
    this.#database = parts.database;
    this.#clock = parts.clock ?? systemClock;
    this.#timeoutMs = parts.timeoutMs ?? SEARCH_TIMEOUT_MS;
    this.#reads = new BoundedReads(parts.database, this.#timeoutMs);
  }

  /**
   * A page of records, the newest first by `seq`, so that pages neither repeat nor skip while records are written. Of
   * the last 24 hours where no time range is given.
   * @throws InvalidInputError, InvalidLogQueryError, LogSearchStoppedError, LogSearchBusyError, UnavailableError
   */
  async read(scope: LogScope, options: LogOptions = {}): Promise<LogPage> {
    const limit = pageLimit(options.limit);
    const before = decodeLogCursor(options.cursor);
    const { filter, bounds } = readChoice(options, this.#clock.now());
    const search = await this.#search(scope, filter, bounds);
    const rows = await this.#reads.run((tx) => newestRows(tx, search, before, limit + 1, this.#timeoutMs));
    const logs = rows.slice(0, limit).map(toIntegrationLog);
    return { logs, nextCursor: rows.length > limit ? encodeLogCursor(logs.at(-1)!.seq) : null };
  }

  /**
   * The newest that a search finds, up to `limit`, the newest first.
   * @param before only those with a smaller `seq`
   * @throws as `read` does
   */
  async newest(scope: LogScope, choice: LogChoice, limit: number, before?: number): Promise<IntegrationLog[]> {
    const found: IntegrationLog[] = [];
    let cursor = before === undefined ? undefined : encodeLogCursor(before);
    while (found.length < limit) {
      const page: LogPage = await this.read(scope, {
        ...choice,
        limit: Math.min(limit - found.length, MAX_PAGE_RECORDS),
        cursor,
      });
      found.push(...page.logs);
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    return found;
  }

  /** How many records a search finds, by time and level. @throws as `read` does */
  async histogram(scope: LogScope, choice: LogChoice = {}): Promise<LogHistogram> {
    const { filter, bounds } = readChoice(choice, this.#clock.now());
    const { conditions } = await this.#search(scope, filter, bounds);
    return await this.#reads.run((tx) => countBuckets(tx, sql`${sql.join(conditions, sql` and `)}`, bounds));
  }

  /**
   * All that a search finds, the newest first, a batch at a time.
   * @param maxRecords after so many it ends
   * @throws as `read` does
   */
  async *export(scope: LogScope, choice: LogChoice, maxRecords: number): AsyncGenerator<IntegrationLog[]> {
    const { filter, bounds } = readChoice(choice, this.#clock.now());
    const search = await this.#search(scope, filter, bounds);
    let before: number | null = null;
    for (let left = maxRecords; left > 0; ) {
      const limit = Math.min(left, EXPORT_PAGE_RECORDS);
      const from: number | null = before;
      const rows: LogRow[] = await this.#reads.run(
        (tx) => newestRows(tx, search, from, limit, EXPORT_TIMEOUT_MS),
        EXPORT_TIMEOUT_MS,
      );
      if (rows.length > 0) yield rows.map(toIntegrationLog);
      if (rows.length < limit) return;
      left -= rows.length;
      before = rows.at(-1)!.seq;
    }
  }

  async #search(scope: LogScope, filter: LogFilter, bounds: TimeBounds): Promise<RowSearch> {
    const scoped = await scopeCondition(this.#database.db, scope);
    const conditions = [
      sql<boolean>`observed_at >= ${new Date(bounds.fromMs)}::timestamptz`,
      sql<boolean>`observed_at < ${new Date(bounds.toMs)}::timestamptz`,
      ...(scoped === null ? [] : [scoped]),
      filterSql(filter),
    ];
    return { conditions, filter, bounds, indexed: scoped !== null || isIndexed(filter) };
  }
}

/** Fields that have an index. */
const INDEXED: readonly string[] = ['integrationId', 'operationId', 'traceId'] satisfies TextField[];

function isIndexed(filter: LogFilter): boolean {
  if (filter.kind === 'and') return filter.parts.some(isIndexed);
  return filter.kind === 'text' && filter.test.kind === 'equals' && INDEXED.includes(filter.field);
}
