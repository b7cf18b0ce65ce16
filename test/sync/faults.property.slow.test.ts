import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StreamRecord } from '../../src/connectors/types.ts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { findState } from '../../src/sync/stateQueries.ts';
import { useTestDatabase } from '../support/database.ts';
import { addIntegration, openSync, storedRecords } from './support/harness.ts';
import { type ScriptedRead, scriptedReader } from './support/scriptedReader.ts';

const database = useTestDatabase();

/** What goes wrong before a page is given. */
type Fault = 'none' | 'read_fails' | 'connections_lost' | 'lease_lost' | 'shutdown' | 'stopped';
const fault = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fault>('none') },
  {
    weight: 4,
    arbitrary: fc.constantFrom<Fault>('read_fails', 'connections_lost', 'lease_lost', 'shutdown', 'stopped'),
  },
);

const record: fc.Arbitrary<StreamRecord> = fc.record({
  key: fc.nat(30).map((n) => `k${n}`),
  data: fc.record({ v: fc.nat(2) }),
});
const pages = fc.array(fc.array(record, { maxLength: 8 }), { minLength: 1, maxLength: 8 });
const script = fc.array(fc.record({ kind: fc.constantFrom('full' as const, 'incremental' as const), pages }), {
  minLength: 1,
  maxLength: 3,
});

/** The records after all reads, none interrupted. */
function expected(reads: readonly ScriptedRead[]): Map<string, JsonObject> {
  const live = new Map<string, JsonObject>();
  for (const { kind, pages } of reads) {
    const seen = new Set(pages.flat().map(({ key }) => key));
    for (const { key, data } of pages.flat()) live.set(key, data);
    if (kind === 'full') for (const key of live.keys()) if (!seen.has(key)) live.delete(key);
  }
  return live;
}

/** Waits a twentieth of the time. */
const hurried: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 20, signal) };

/** A process of its own as far as the database can tell, whose connections can be told apart. */
class Worker {
  readonly reads: ScriptedRead[] = [];
  faults: Fault[] = [];
  readonly #url: string;
  #database: Database | undefined;
  #restarting: Promise<void> = Promise.resolve();
  #service: ReturnType<typeof openSync> | undefined;

  constructor(url: string) {
    const named = new URL(url);
    named.searchParams.set('application_name', 'worker');
    this.#url = named.href;
  }

  async start(): Promise<void> {
    this.#database = await openDatabase({ url: this.#url, dataDir: '', migrate: false });
    const reader = scriptedReader(this.reads, () => this.#suffer(this.faults.shift() ?? 'none'));
    this.#service = openSync(this.#database, { reader, clock: hurried });
  }

  /** After a shutdown that is under way. */
  async end(): Promise<void> {
    await this.#restarting;
    await this.stop();
  }

  async stop(): Promise<void> {
    await this.#service?.close();
    await this.#database?.close();
  }

  async #suffer(fault: Fault): Promise<void> {
    const { pool } = database.current;
    switch (fault) {
      case 'read_fails':
        throw new Error('the provider is down');
      case 'connections_lost':
        await pool.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'worker'`);
        return;
      case 'lease_lost':
        await pool.query(`update sync_runs set lease_token = lease_token + 1 where status = 'running'`);
        return;
      case 'shutdown':
        // Ending waits for this very page.
        this.#restarting = this.#restarting.then(() => this.stop()).then(() => this.start());
        return;
      case 'stopped':
        await pool.query(`update sync_runs set stop_requested_at = now() where status = 'running'`);
    }
  }
}

test('whatever goes wrong in between, the end is that of reads without interruption', async () => {
  const asking = openSync(database.current, { workers: false });
  const worker = new Worker(database.url);
  await worker.start();
  try {
    await fc.assert(
      fc.asyncProperty(script, fc.array(fault, { maxLength: 12 }), async (reads, faults) => {
        worker.reads.splice(0, worker.reads.length, ...reads);
        worker.faults = faults;
        const id = await addIntegration(database.current, 'http://127.0.0.1:1', {
          streams: ['items'],
          deletionSafetyPercent: 100,
        });
        for (let run = 0; (await readsDone(id)) < reads.length; run++) {
          expect(run).toBeLessThan(30);
          const { id: runId } = await asking.sync.requestRun(id, { trigger: 'manual' });
          const { status, error } = await finish(runId);
          expect(status === 'succeeded' || status === 'stopped' || error?.code === 'INTERNAL').toBe(true);
        }
        // What a run that was stopped at the very end has left to do.
        if (await deletionsAreLeft(id)) {
          worker.reads.push({ kind: 'incremental', pages: [[]] });
          await finish((await asking.sync.requestRun(id, { trigger: 'manual' })).id);
        }
        const live = (await storedRecords(database.current, id, 'items')).filter((one) => !one.deleted);
        expect(new Map(live.map((one) => [one.key, one.data]))).toEqual(expected(reads));
        expect(await asking.sync.streamStatus(id)).toMatchObject([{ records: live.length, pendingDeletions: null }]);
      }),
      { numRuns: 30, endOnFailure: true },
    );
  } finally {
    await worker.end();
    await asking.close();
  }

  /** How many of the reads came to their end, also by runs that were then stopped. */
  async function readsDone(id: string): Promise<number> {
    const row = await findState(database.current.db, id, 'items');
    const state = row?.state as { read: number; next: number | null } | null | undefined;
    if (state == null) return 0;
    return state.next === null ? state.read + 1 : state.read;
  }

  async function deletionsAreLeft(id: string): Promise<boolean> {
    return (await findState(database.current.db, id, 'items'))?.due_deletions != null;
  }

  /** Waits for a run; one that nobody works on is found by the next look for work, not eight seconds later. */
  async function finish(runId: string) {
    for (;;) {
      const result = await asking.sync.waitForRun(runId, AbortSignal.timeout(150)).catch(() => null);
      if (result !== null) return result;
      await database.current.pool.query(
        `update sync_runs set lease_until = now() - interval '1 second' where id = $1 and status = 'running'`,
        [runId],
      );
    }
  }
});
