import { hostname } from 'node:os';
import { sql } from 'kysely';
import type { Clock } from '../../core/clock.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { type PollLoop, startPollLoop } from '../../core/pollLoop.ts';
import type { Database } from '../../store/database.ts';
import { type SystemSample, SystemSampler } from './systemSamples.ts';

const SAMPLE_INTERVAL_MS = 5_000;
const MINUTE_MS = 60_000;
const KEPT_MS = 7 * 86_400_000;
const DELETE_BATCH_ROWS = 5_000;

interface Row {
  samples: number;
  total: number;
  smallest: number;
  largest: number;
  latest: number;
}

/** Looks at this process every five seconds and keeps a row a minute of each metric, written with every look. */
export class SystemRecorder {
  readonly #deps: { readonly database: Database; readonly clock: Clock; readonly log: Log };
  readonly #sampler: SystemSampler;
  readonly #replica = `${hostname()}:${process.pid}`;
  #bucketMs = Number.NaN;
  #rows = new Map<string, Row>();
  #latest: SystemSample = {};
  #loop: PollLoop | null = null;
  #failing = false;

  constructor(deps: { database: Database; clock: Clock; log: Log; dataDir: string }) {
    this.#deps = deps;
    this.#sampler = new SystemSampler(deps.database, deps.dataDir);
  }

  /** The last look at this process. */
  get latest(): SystemSample {
    return this.#latest;
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
      this.#rows = new Map();
    }
    for (const [metric, value] of Object.entries(this.#latest)) {
      const row = this.#rows.get(metric) ?? { samples: 0, total: 0, smallest: value, largest: value, latest: value };
      this.#rows.set(metric, {
        samples: row.samples + 1,
        total: row.total + value,
        smallest: Math.min(row.smallest, value),
        largest: Math.max(row.largest, value),
        latest: value,
      });
    }
    await writeRows(database, { bucketMs, nowMs, replica: this.#replica }, this.#rows);
  }

  async close(): Promise<void> {
    await this.#loop?.stop();
    this.#sampler.close();
  }

  async #round(): Promise<number> {
    try {
      await this.sample();
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) {
        this.#deps.log.warn('What the process sees of itself cannot be written', { reason: errorMessage(error) });
      }
      this.#failing = true;
    }
    return SAMPLE_INTERVAL_MS;
  }
}

async function writeRows(
  { db }: Database,
  { bucketMs, nowMs, replica }: { bucketMs: number; nowMs: number; replica: string },
  rows: ReadonlyMap<string, Row>,
): Promise<void> {
  await db
    .insertInto('system_minutes')
    .values(
      [...rows].map(([metric, row]) => ({
        bucket: new Date(bucketMs),
        metric,
        replica,
        ...row,
        latest_at: new Date(nowMs),
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(['metric', 'bucket', 'replica']).doUpdateSet((row) => ({
        samples: row.ref('excluded.samples'),
        total: row.ref('excluded.total'),
        smallest: row.ref('excluded.smallest'),
        largest: row.ref('excluded.largest'),
        latest: row.ref('excluded.latest'),
        latest_at: row.ref('excluded.latest_at'),
      })),
    )
    .execute();
}

/** Deletes what is past its week, in small transactions. */
export async function deleteOldSystemMinutes({ db }: Database, nowMs: number, signal?: AbortSignal): Promise<void> {
  for (let deleted = DELETE_BATCH_ROWS; deleted === DELETE_BATCH_ROWS; ) {
    signal?.throwIfAborted();
    const result = await sql`
      delete from system_minutes
      where (metric, bucket, replica) in (
        select metric, bucket, replica from system_minutes
        where bucket < ${new Date(nowMs - KEPT_MS)} order by bucket limit ${DELETE_BATCH_ROWS}
      )`.execute(db);
    deleted = Number(result.numAffectedRows ?? 0);
  }
}
