import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../src/store/database.ts';
import { endProgram, SERVER_FLAGS, startProgram } from './support/programs.ts';

interface Figures {
  readonly records: number;
  readonly seconds: number;
  readonly maxRssMb: number;
}

/**
 * Records a second from an API on loopback (records of 1 KB, pages of 100), beside a bare loop that fetches the same
 * pages and COPYs them, on the embedded PostgreSQL. API, bare loop and sync are processes of their own.
 * Target: half the rate of the bare loop, under 200 MB. `BENCH_RECORDS` sets the number of records.
 */
export async function run(options: { records?: number } = {}): Promise<{ bare: Figures; ours: Figures }> {
  const records = options.records ?? Number(process.env.BENCH_RECORDS ?? 1_000_000);
  const dataDir = await mkdtemp(join(tmpdir(), 'integration-services-bench-'));
  const database = await openDatabase({ url: null, dataDir });
  const api = startProgram('sync/apiServer.ts', [String(records)]);
  try {
    await warmUp(database.url, dataDir);
    const apiUrl = await api.firstLine;
    const bare = await measure('sync/bareLoop.ts', [database.url, apiUrl]);
    await database.pool.query('drop table bare_records');
    // So that the writing back of its pages does not fall into the other's time.
    await database.pool.query('checkpoint');
    const ours = await measure('sync/ourSync.ts', [database.url, apiUrl, dataDir], SERVER_FLAGS);
    if (bare.records !== records || ours.records !== records) throw new Error('Not every record was read.');
    const rows = Object.entries({ 'bare loop with COPY': bare, 'our sync': ours }).map(([name, figures]) => [
      name,
      {
        records,
        'records/s': Math.round(rate(figures)),
        'of the bare loop': `${Math.round((100 * rate(figures)) / rate(bare))} %`,
        'memory (peak RSS)': `${Math.round(figures.maxRssMb)} MB`,
      },
    ]);
    console.table(Object.fromEntries(rows));
    return { bare, ours };
  } finally {
    await endProgram(api);
    await database.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Fills the cache of compiled code, as every start but the first finds it. */
async function warmUp(databaseUrl: string, dataDir: string): Promise<void> {
  const api = startProgram('sync/apiServer.ts', ['1000']);
  try {
    await measure('sync/ourSync.ts', [databaseUrl, await api.firstLine, dataDir], SERVER_FLAGS);
  } finally {
    await endProgram(api);
  }
}

const rate = ({ records, seconds }: Figures) => records / seconds;

async function measure(file: string, args: string[], flags: string[] = []): Promise<Figures> {
  const { firstLine, child } = startProgram(file, args, flags);
  const [line] = await Promise.all([firstLine, once(child, 'exit')]);
  return JSON.parse(line) as Figures;
}
