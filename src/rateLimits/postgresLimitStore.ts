import { bulkhead } from 'cockatiel';
import { type CompiledQuery, sql } from 'kysely';
import type { Database } from '../store/database.ts';
import type { Limit } from './limitRule.ts';
import type { SharedAnswer, SharedLimitStore, TakeRequest } from './sharedLimitStore.ts';

const MAX_ATTEMPTS = 3;
/** Of the pool's connections (10), so that limits, also slow ones, leave the rest to the others. */
const MAX_CONNECTIONS = 2;
/** Statements that wait for one of these; the next fails at once. */
const MAX_QUEUED = 1_000;
/** A connection that does not answer in time is given up, and whoever waited for one meanwhile fails too. */
const DEADLINE_MS = 2_000;

/**
 * Limits in PostgreSQL: one statement a call (`use_rate_limits` of the migrations) on an unlogged table, by the clock
 * of the database. A crash of the database server forgets what was used; its restart does not.
 */
export class PostgresLimitStore implements SharedLimitStore {
  readonly name = 'postgresql';
  readonly #database: Database;
  readonly #timeMs: (() => number) | undefined;
  readonly #connections = bulkhead(MAX_CONNECTIONS, MAX_QUEUED);
  #failedAtMs = Number.NEGATIVE_INFINITY;

  /** `timeMs`: a clock in place of that of the database, for tests. */
  constructor(options: { database: Database; timeMs?: () => number }) {
    this.#database = options.database;
    this.#timeMs = options.timeMs;
  }

  async take(limits: readonly Limit[], request: TakeRequest): Promise<SharedAnswer> {
    const { atLeast, atMost, share, leaseMs } = request;
    const order = sorted(limits);
    const answer = await this.#run('take', [atLeast, atMost, share, leaseMs], order);
    const [granted, remaining, place, resetInMs, waitMs, takenAtMs, validMs] = answer;
    return {
      granted: granted!,
      remaining: remaining!,
      // The tightest in the order of the caller; when none refuses that is the first.
      index: granted === 0 ? limits.indexOf(order[place!]!) : 0,
      resetInMs: resetInMs!,
      waitMs: waitMs!,
      takenAtMs: takenAtMs!,
      validMs: validMs!,
    };
  }

  async giveBack(limits: readonly Limit[], cost: number, takenAtMs: number, leaseMs: number): Promise<void> {
    await this.#run('give', [cost, takenAtMs, leaseMs, 0], sorted(limits));
  }

  async charge(limits: readonly Limit[], cost: number): Promise<void> {
    await this.#run('charge', [cost, 0, 0, 0], sorted(limits));
  }

  async ping(): Promise<void> {
    await this.#query(sql`select 1`.compile(this.#database.db));
  }

  /** The database is closed by whoever opened it. */
  async close(): Promise<void> {}

  /** Deletes what counts no more; at most `maxRows` at a time. @returns how many it deleted */
  async deleteIdle(maxRows: number): Promise<number> {
    const result = await sql`
      delete from rate_limit_usage where key in (
        select key from rate_limit_usage
        where idle_at_ms < extract(epoch from clock_timestamp()) * 1000 - 1000
        limit ${maxRows} for update skip locked
      )`.execute(this.#database.db);
    return Number(result.numAffectedRows);
  }

  async #query<Row extends object>({ sql: text, parameters }: CompiledQuery<Row>): Promise<Row[]> {
    const queuedMs = performance.now();
    return this.#connections.execute(async () => {
      if (queuedMs <= this.#failedAtMs) throw new Error('The database did not answer those before.');
      const config = { text, values: [...parameters], query_timeout: DEADLINE_MS };
      try {
        return (await this.#database.pool.query<Row>(config)).rows;
      } catch (error) {
        // What the database itself answers has a code.
        if ((error as { code?: unknown }).code === undefined) this.#failedAtMs = performance.now();
        throw error;
      }
    });
  }

  async #run(operation: string, numbers: readonly number[], limits: readonly Limit[]): Promise<number[]> {
    const column = <T>(read: (limit: Limit) => T) => limits.map(read);
    const query = sql<{ answer: number[] }>`select use_rate_limits(
      ${operation}, ${this.#timeMs?.() ?? null}, ${numbers}::float8[], ${column(({ key }) => key)}::text[],
      ${column(({ rule }) => rule.strategy)}::text[], ${column(({ rule }) => rule.limit)}::float8[],
      ${column(({ rule }) => rule.windowMs)}::float8[], ${column(({ rule }) => rule.capacity)}::float8[]
    ) as answer`.compile(this.#database.db);
    for (let attempt = 1; ; attempt++) {
      try {
        const rows = await this.#query(query);
        return rows[0]!.answer;
      } catch (error) {
        // Cleaned away between being inserted and being read.
        if ((error as { code?: unknown }).code !== 'P0002' || attempt >= MAX_ATTEMPTS) throw error;
      }
    }
  }
}

function sorted(limits: readonly Limit[]): Limit[] {
  return limits.length < 2 ? [...limits] : [...limits].sort((a, b) => (a.key < b.key ? -1 : 1));
}
