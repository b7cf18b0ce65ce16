import { type Kysely, sql, type Transaction } from 'kysely';
import type { Database } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';
import { AuthenticationBusyError, LoginThrottledError } from './errors.ts';

/** Failures older than this are forgotten. */
export const THROTTLE_WINDOW_SECONDS = 300;

/** What failures are counted for, from how many on one has to wait, and the longest wait. */
export interface ThrottleSubject {
  readonly subject: string;
  readonly threshold: number;
  readonly maxWaitSeconds: number;
}

/**
 * Counts failed attempts in the database, for all replicas together, and makes further ones wait: 1, 2, 4 … seconds
 * up to a bound. Nothing is ever locked. An attempt counts as failed until it succeeds, so that many at the same
 * time cannot pass together.
 */
export class LoginThrottle {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Lets an attempt begin and counts it as a failure.
   * @throws LoginThrottledError when one of the subjects has to wait; then nothing is counted.
   */
  async begin(subjects: readonly ThrottleSubject[]): Promise<void> {
    // Read first: a flood of attempts that have to wait writes nothing.
    await this.requireFree(subjects);
    await this.#database.transaction(async (tx) => {
      if ((await countFailures(tx, subjects)) === subjects.length) return;
      // Another attempt was faster; throwing takes back what was counted.
      await this.requireFree(subjects, tx);
      throw new LoginThrottledError(1_000);
    });
  }

  /** @throws LoginThrottledError when one of the subjects has to wait; counts nothing. */
  async requireFree(subjects: readonly ThrottleSubject[], db: Kysely<Schema> = this.#database.db): Promise<void> {
    const names = subjects.map(({ subject }) => subject);
    const { rows } = await sql<{ wait_ms: number | null }>`
      select (extract(epoch from max(blocked_until) - clock_timestamp()) * 1000)::float8 as wait_ms
      from login_throttles where subject = any(${names}::text[])`.execute(db);
    const waitMs = rows[0]?.wait_ms ?? 0;
    if (waitMs > 0) throw new LoginThrottledError(Math.ceil(waitMs));
  }

  /**
   * Begins an attempt and looks at what decides it; when that could not be looked at, nothing stays counted.
   * @throws LoginThrottledError, AuthenticationBusyError
   */
  async attempt<T>(subjects: readonly ThrottleSubject[], look: () => Promise<T>): Promise<T> {
    await this.begin(subjects);
    try {
      return await look();
    } catch (error) {
      if (error instanceof AuthenticationBusyError) {
        await this.#database.transaction((tx) => this.succeed(tx, subjects));
      }
      throw error;
    }
  }

  /** Takes back what `begin` counted, in the transaction of the success; `forgotten` is set to nothing at all. */
  async succeed(
    tx: Transaction<Schema>,
    subjects: readonly ThrottleSubject[],
    forgotten: readonly string[] = [],
  ): Promise<void> {
    const names = subjects.map(({ subject }) => subject);
    const thresholds = subjects.map(({ threshold }) => threshold);
    await sql`
      with wanted as (
        select login_throttles.subject, threshold
        from login_throttles
        join unnest(${names}::text[], ${thresholds}::integer[]) as wanted (subject, threshold) using (subject)
        order by login_throttles.subject
        for update of login_throttles
      )
      update login_throttles t set
        failures = greatest(t.failures - 1, 0),
        blocked_until = case when t.failures - 1 >= threshold then t.blocked_until end
      from wanted where wanted.subject = t.subject`.execute(tx);
    if (forgotten.length === 0) return;
    await tx.deleteFrom('login_throttles').where('subject', 'in', forgotten).execute();
  }

  /** How many failures of this subject count at the moment. */
  async failures(subject: string): Promise<number> {
    const { rows } = await sql<{ failures: number }>`
      select failures from login_throttles
      where subject = ${subject} and last_failed_at > now() - make_interval(secs => ${THROTTLE_WINDOW_SECONDS})
    `.execute(this.#database.db);
    return rows[0]?.failures ?? 0;
  }
}

/** Counts one failure for each subject that need not wait; how many those are. */
async function countFailures(tx: Transaction<Schema>, subjects: readonly ThrottleSubject[]): Promise<number> {
  const names = subjects.map(({ subject }) => subject);
  const thresholds = subjects.map(({ threshold }) => threshold);
  const maxWaits = subjects.map(({ maxWaitSeconds }) => maxWaitSeconds);
  const oldest = sql`clock_timestamp() - make_interval(secs => ${THROTTLE_WINDOW_SECONDS})`;
  // In the order of the names, so that two attempts never wait for each other.
  const result = await sql`
    with wanted as (
      select * from unnest(${names}::text[], ${thresholds}::integer[], ${maxWaits}::integer[])
        as wanted (subject, threshold, max_wait)
      order by subject
    )
    insert into login_throttles as t (subject, failures, last_failed_at)
    select subject, 1, clock_timestamp() from wanted
    on conflict (subject) do update set
      failures = case when t.last_failed_at < ${oldest} then 1 else t.failures + 1 end,
      last_failed_at = clock_timestamp(),
      blocked_until = (
        select case when t.last_failed_at >= ${oldest} and t.failures + 1 >= threshold
          then clock_timestamp() + make_interval(secs => least(max_wait, 2 ^ least(t.failures + 1 - threshold, 20)))
        end
        from wanted where wanted.subject = t.subject
      )
    where t.blocked_until is null or t.blocked_until <= clock_timestamp()`.execute(tx);
  return Number(result.numAffectedRows);
}
