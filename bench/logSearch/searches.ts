import type { App } from '../../src/app.ts';
import { silentLog } from '../../src/core/log.ts';
import type { LogOptions } from '../../src/logging/types.ts';
import { BlockMaker } from '../../src/logging/words/blockMaker.ts';

const RECORDS = 1_000_000;
const INTEGRATIONS = 101;
const RUNS = 40;

interface Search {
  readonly scope: string | null;
  readonly options: LogOptions;
}

const day = '24h';
const SEARCHES: Readonly<Record<string, Search>> = {
  'errors of one integration, a word': {
    scope: 'int_7',
    options: { level: 'error', timeRange: day, searchQuery: 'timeout' },
  },
  'errors of one integration, a word that is nowhere': {
    scope: 'int_7',
    options: { level: 'error', timeRange: day, searchQuery: 'nowhere' },
  },
  'one integration, a word that is nowhere': { scope: 'int_7', options: { timeRange: day, searchQuery: 'nowhere' } },
  'one integration, an attribute': {
    scope: 'int_7',
    options: { timeRange: day, searchQuery: 'attributes.durationMs:>975' },
  },
  'all, the newest': { scope: null, options: { timeRange: day } },
  'all, an operation': { scope: null, options: { timeRange: day, operationId: 'op_4711' } },
  'all, a frequent word': { scope: null, options: { timeRange: day, searchQuery: 'timeout' } },
  'all, errors, a word that is nowhere': {
    scope: null,
    options: { timeRange: day, level: 'error', searchQuery: 'nowhere' },
  },
  'all, one hour, a word that is nowhere': { scope: null, options: { timeRange: '1h', searchQuery: 'nowhere' } },
  'all, a word that is nowhere': { scope: null, options: { timeRange: day, searchQuery: 'nowhere' } },
  'all, a rare word': { scope: null, options: { timeRange: day, searchQuery: '"items/1700017 answered"' } },
  'all, a frequent word and one that is nowhere': {
    scope: null,
    options: { timeRange: day, searchQuery: 'timeout AND nowhere' },
  },
  'all, a frequent word and an attribute that is nowhere': {
    scope: null,
    options: { timeRange: day, searchQuery: 'timeout AND attributes.attempt:7' },
  },
  'all, an attribute that is nowhere (not documented as fast)': {
    scope: null,
    options: { timeRange: day, searchQuery: 'attributes.status:999' },
  },
};

/** Milliseconds by search. */
export async function measureSearches(app: App): Promise<Record<string, Record<string, number | string>>> {
  await fill(app);
  const startedMs = performance.now();
  await new BlockMaker({ database: app.database, log: silentLog }).catchUp();
  console.log(`blocks of words: ${(((performance.now() - startedMs) / RECORDS) * 1000).toFixed(2)} µs for each record`);
  const rows: Record<string, Record<string, number | string>> = {};
  const { history } = app.logs;
  for (const [name, { scope, options }] of Object.entries(SEARCHES)) {
    rows[name] = await timed(async () => (await history.read(scope, options)).logs.length);
  }
  rows['histogram of one integration'] = await timed(async () => {
    return (await history.histogram('int_7', { timeRange: day })).buckets.length;
  });
  rows['histogram of all'] = await timed(
    async () => (await history.histogram(null, { timeRange: day })).buckets.length,
  );
  return rows;
}

async function timed(search: () => Promise<number>): Promise<Record<string, number | string>> {
  const times: number[] = [];
  let found = 0;
  for (let run = 0; run < RUNS; run++) {
    const startedMs = performance.now();
    try {
      found = await search();
    } catch (error) {
      return { found: String((error as { code?: string }).code) };
    }
    times.push(performance.now() - startedMs);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => Math.round(times[Math.floor(share * (RUNS - 1))]! * 10) / 10;
  return { found, 'p50, ms': at(0.5), 'p95, ms': at(0.95) };
}

/** A day of records: a fifth of concern, an error in a hundred with the word, an operation for every twenty. */
async function fill({ database }: App): Promise<void> {
  const at = `now() - interval '23 hours' + g * interval '82.8 ms'`;
  for (let from = 0; from < RECORDS; from += 100_000) {
    await database.pool.query(
      `insert into logs
       select g, ${at}, ${at}, 'int_' || (g::bigint * 7919 % ${INTEGRATIONS}),
         (array[9,9,9,9,9,9,5,7,13,17])[1 + g::bigint * 31 % 10],
         'Request ' || g || ' to https://api.example.com/v1/items/' || g::bigint * 17 || ' answered after '
           || g % 977 || ' ms' || case when g % 1000 = 999 then ': Timeout' else '' end,
         'http.answered', 'op_' || g / 20, null, null, null,
         jsonb_build_object('status', 200 + g % 5 * 100, 'attempt', g % 3, 'host', 'api.example.com', 'durationMs', g % 977)
       from generate_series(${from + 1}, ${from + 100_000}) g`,
    );
  }
  await database.pool.query(`update log_sequence set next = ${RECORDS + 1}`);
  await database.pool.query('vacuum analyze logs');
}
