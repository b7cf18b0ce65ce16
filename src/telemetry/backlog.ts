import type { Clock } from '../core/clock.ts';
import type { Database } from '../store/database.ts';
import { type Family, gauge } from './families.ts';

const QUERY_TIMEOUT_MS = 2_000;
/** The database is asked at most so often, however many scrape. */
const FRESH_MS = 5_000;
/** More are not counted: a backlog of a million is as bad to know exactly as it is to have. */
const MAX_COUNTED = 100_000;

/** One row a queue: how much waits, and for how many seconds the first of it. */
const QUESTION = `
  select 'sync_runs' as queue, count(*)::float8 as waiting,
         coalesce(extract(epoch from now() - min(queued_at)), 0)::float8 as age
  from (select queued_at from sync_runs where status = 'queued' limit ${MAX_COUNTED}) as q
  union all
  select 'sync_schedules', count(*)::float8, coalesce(extract(epoch from now() - min(next_due_at)), 0)::float8
  from (select next_due_at from sync_schedules where next_due_at < now() limit ${MAX_COUNTED}) as q
  union all
  select 'audit', count(*)::float8, null
  from (select from audit_pending limit ${MAX_COUNTED}) as q`;
const JOBS_QUESTION = `
  select 'jobs' as queue, count(*)::float8 as waiting,
         coalesce(extract(epoch from now() - min(start_after)), 0)::float8 as age
  from (select start_after from pgboss.job
        where state in ('created', 'retry') and start_after < now() and name not like '\\_\\_pgboss%'
          and name <> 'dead_letters' limit ${MAX_COUNTED}) as q`;

interface Row {
  readonly queue: string;
  readonly waiting: number;
  readonly age: number | null;
}

/** What waits in the database for any of the processes; the same number on each of them. */
export class Backlog {
  readonly #database: Pick<Database, 'pool'>;
  readonly #clock: Clock;
  #asked: Promise<Family[]> | null = null;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(database: Pick<Database, 'pool'>, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Without the queues while the database is away: no number is better than an old one. */
  families(): Promise<Family[]> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#asked === null || nowMs - this.#askedMs >= FRESH_MS) {
      this.#askedMs = nowMs;
      this.#asked = this.#ask();
    }
    return this.#asked;
  }

  async #ask(): Promise<Family[]> {
    const answers = await Promise.allSettled([this.#query(QUESTION), this.#query(JOBS_QUESTION)]);
    const rows = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    const isUp = answers[0]!.status === 'fulfilled';
    const aged = rows.filter((row): row is Row & { age: number } => row.age !== null);
    return [
      gauge('integration_services_database_up', 'Whether the database answered the last time it was asked.', +isUp),
      gauge(
        'integration_services_queue_waiting',
        `What is due and waits, of all processes together; not counted above ${MAX_COUNTED}.`,
        rows.map(({ queue, waiting }) => ({ labels: { queue }, value: waiting })),
      ),
      gauge(
        'integration_services_queue_oldest_age_seconds',
        'How long the first of what is due has waited; 0 when nothing is.',
        aged.map(({ queue, age }) => ({ labels: { queue }, value: Math.max(0, age) })),
      ),
    ];
  }

  async #query(text: string): Promise<readonly Row[]> {
    const statement = { text, query_timeout: QUERY_TIMEOUT_MS } as { text: string };
    return (await this.#database.pool.query<Row>(statement)).rows;
  }
}
