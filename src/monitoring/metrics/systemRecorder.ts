import { hostname } from 'node:os';
import { sql } from 'kysely';
import type { Clock } from '../../core/clock.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { type PollLoop, startPollLoop } from '../../core/pollLoop.ts';
import type { Database } from '../../store/database.ts';
import type { LoopDelay } from './loopDelay.ts';
import { type SystemSample, SystemSampler } from './systemSamples.ts';

const SAMPLE_INTERVAL_MS = 5_000;
const MINUTE_MS = 60_000;
const KEPT_MS = 7 * 86_400_000;
const DELETE_BATCH_ROWS = 5_000;

/** Looks at this process every five seconds and keeps a row a minute of each metric, written with every look. */
export class SystemRecorder {
  readonly #deps: { readonly database: Database; readonly clock: Clock; readonly log: Log };
  readonly #sampler: SystemSampler;
  readonly #process = `${hostname()}:${process.pid}`;
  #bucketMs = Number.NaN;
  #samples = new Map<string, number[]>();
  #latest: SystemSample = {};
  #loop: PollLoop | null = null;
  #lastWriteMs: number | null = null;
  #error: string | null = null;

  constructor(deps: { database: Database; clock: Clock; log: Log; dataDir: string; loopDelay: LoopDelay }) {
    this.#deps = deps;
    this.#sampler = new SystemSampler(deps.database, deps.dataDir, deps.loopDelay);
  }

  /** The last look at this process. */
  get latest(): SystemSample {
    return this.#latest;
  }

  /** Whether what it sees could be written. */
  get writes(): { readonly lastMs: number | null; readonly error: string | null } {
    return { lastMs: this.#lastWriteMs, error: this.#error };
  }

  start(): void {
    this.#loop ??= startPollLoop(() => this.#round(), this.#deps.clock);
  }

  /** Looks once and writes what it saw. */
  async sample(): Promise<void> {
    const { clock, database } = this.#deps;
    this.#latest = await this.#sampler.look();
    const nowMs = clock.now();
    const bucketMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
    if (bucketMs !== this.#bucketMs) {
      this.#bucketMs = bucketMs;
      this.#samples = new Map();
    }
    for (const [metric, value] of Object.entries(this.#latest)) {
      const samples = this.#samples.get(metric) ?? [];
      samples.push(value);
      this.#samples.set(metric, samples);
    }
    const { db } = database;
    await db
      .insertInto('system_minutes')
      .values(
        [...this.#samples].map(([metric, samples]) => ({
          bucket: new Date(bucketMs),
          metric,
          process: this.#process,
          samples,
          latest_at: new Date(nowMs),
        })),
      )
      .onConflict((conflict) =>
        conflict
          .columns(['metric', 'bucket', 'process'])
          .doUpdateSet((row) => ({ samples: row.ref('excluded.samples'), latest_at: row.ref('excluded.latest_at') })),
      )
      .execute();
  }

  async close(): Promise<void> {
    await this.#loop?.stop();
  }

  async #round(): Promise<number> {
    try {
      await this.sample();
      this.#lastWriteMs = this.#deps.clock.monotonicMs();
      this.#error = null;
    } catch (error) {
      const reason = errorMessage(error);
      if (this.#error === null) this.#deps.log.warn('What the process sees of itself cannot be written', { reason });
      this.#error = reason;
    }
    return SAMPLE_INTERVAL_MS;
  }
}

/** Deletes what is past its week, in small transactions. */
export async function deleteOldSystemMinutes({ db }: Database, nowMs: number, signal?: AbortSignal): Promise<void> {
  for (let deleted = DELETE_BATCH_ROWS; deleted === DELETE_BATCH_ROWS; ) {
    signal?.throwIfAborted();
    const result = await sql`
      delete from system_minutes
      where (metric, bucket, process) in (
        select metric, bucket, process from system_minutes
        where bucket < ${new Date(nowMs - KEPT_MS)} order by bucket limit ${DELETE_BATCH_ROWS}
      )`.execute(db);
    deleted = Number(result.numAffectedRows ?? 0);
  }
}
