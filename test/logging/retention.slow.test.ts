import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import S3rver from 's3rver';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../src/app.ts';
import { silentLog } from '../../src/core/log.ts';
import { type LogArchive, openArchive } from '../../src/logging/archive/logArchive.ts';
import { LogArchiveError } from '../../src/logging/errors.ts';
import { expiryOf } from '../../src/logging/expiry.ts';
import { importLogs } from '../../src/logging/importLogs.ts';
import { DEFAULT_KEEP_DAYS, type RetentionRule } from '../../src/logging/logSettings.ts';
import { applyRetention } from '../../src/logging/retention.ts';
import { LOG_LEVELS, SEVERITIES } from '../../src/logging/types.ts';
import { ensurePartitions } from '../../src/store/partitions.ts';
import { openTestApp } from '../support/app.ts';
import { useTestDatabase } from '../support/database.ts';

const DAY_MS = 86_400_000;
const database = useTestDatabase();
const NOW = new Date('2026-06-15T12:00:00Z');
const signal = new AbortController().signal;
const audit = { record: async () => {} };
let folder: string;
let app: App;
beforeAll(async () => {
  app = await openTestApp(database.url, { workers: false });
});
afterAll(() => app.close());
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'integration-services-test-'));
  await database.current.pool.query('truncate logs, log_imports, log_retention');
  return () => rmSync(folder, { recursive: true, force: true });
});

const daysAgo = (days: number): Date => new Date(NOW.getTime() - days * DAY_MS);

/** One record of each level for each scope, on each of these days. */
async function fill(days: readonly number[], scopes: readonly string[] = ['int-a', 'system']): Promise<void> {
  const { pool } = database.current;
  for (const day of days) {
    await ensurePartitions(database.current, 'logs', daysAgo(day), 1);
    for (const scope of scopes) {
      await pool.query(
        `with numbers as (update log_sequence set next = next + 6 returning next - 6 as first)
         insert into logs (seq, observed_at, at, integration_id, severity, message, attributes)
         select first + n - 1, $1, $1, $2, severity, 'of ' || severity, jsonb_build_object('day', $3::int)
         from numbers, unnest($4::smallint[]) with ordinality as one (severity, n)`,
        [daysAgo(day), scope, day, Object.values(SEVERITIES)],
      );
    }
  }
}

async function kept(): Promise<string[]> {
  const { rows } = await database.current.pool.query<{ one: string }>(
    `select distinct concat_ws(' ', attributes->>'day', integration_id, severity) as one from logs order by one`,
  );
  return rows.map(({ one }) => one);
}

async function everything(): Promise<unknown[]> {
  return (await database.current.pool.query('select * from logs order by seq')).rows;
}

function apply(archive: LogArchive | null, rules: readonly RetentionRule[] = [], maxBytes: number | null = null) {
  const retention = { rules, defaults: DEFAULT_KEEP_DAYS, maxBytes };
  return applyRetention({ database: database.current, log: silentLog, archive }, retention, NOW, signal);
}

it('the closest rule decides, as a search through all of them does', () => {
  const scope = fc.constantFrom('*', 'int-a', 'int-b');
  const level = fc.constantFrom(null, ...LOG_LEVELS);
  const rule = fc.record({ scope, level, keepDays: fc.nat(20) });
  const rules = fc.uniqueArray(rule, { selector: (one) => `${one.scope} ${one.level}`, maxLength: 12 });
  fc.assert(
    fc.property(rules, fc.nat(20), (some, ageDays) => {
      const expiry = expiryOf(ageDays, some, DEFAULT_KEEP_DAYS);
      for (const one of ['int-a', 'int-b', 'int-c']) {
        for (const named of LOG_LEVELS) {
          const closest = [
            [one, named],
            [one, null],
            ['*', named],
            ['*', null],
          ]
            .map(([s, l]) => some.find((r) => r.scope === s && r.level === l)?.keepDays)
            .find((days) => days !== undefined);
          const expected = (closest ?? DEFAULT_KEEP_DAYS[named]) <= ageDays;
          const own = expiry.scopes.find((s) => s.scope === one)?.severities ?? expiry.severities;
          expect(own.includes(SEVERITIES[named])).toBe(expected);
          if (expiry.whole) expect(expected).toBe(true);
        }
      }
    }),
  );
});

describe('retention', () => {
  it('takes out what is past its time, by level and integration, and drops whole days', async () => {
    await fill([1, 5, 20, 400]);
    await apply(null, [
      { scope: 'int-a', level: null, keepDays: 10 },
      { scope: 'int-a', level: 'critical', keepDays: 500 },
      { scope: '*', level: 'info', keepDays: 3 },
    ]);
    expect(await kept()).toEqual(
      [
        ...[5, 7, 9, 13, 17, 21].flatMap((severity) => [`1 int-a ${severity}`, `1 system ${severity}`]),
        // int-a keeps all for ten days; of system, debug (3) and info (3) are over.
        ...[5, 7, 9, 13, 17, 21].map((severity) => `5 int-a ${severity}`),
        ...[7, 13, 17, 21].map((severity) => `5 system ${severity}`),
        '20 int-a 21',
        ...[13, 17, 21].map((severity) => `20 system ${severity}`),
        '400 int-a 21',
      ].sort(),
    );
    await apply(null);
    const { rows } = await database.current.pool.query(`select to_regclass('logs_20250511') as partition`);
    expect(rows[0].partition).toBeNull();
  });

  it('drops the oldest days until the rest fits', async () => {
    await fill([1, 2, 3, 4]);
    await apply(null, [{ scope: '*', level: null, keepDays: 100 }], 1);
    expect(await kept()).toEqual([]);
    await fill([1, 2, 3, 4]);
    await apply(null, [{ scope: '*', level: null, keepDays: 100 }], 10 ** 9);
    expect(await kept()).toHaveLength(48);
  });
});

/** What an archive has to do, wherever it is. */
function roundTrip(name: string, place: () => { place: string; endpoint?: string }): void {
  it(`archives to ${name} before it deletes, and brings it back as it was, once`, async () => {
    await fill([1, 5, 400], ['int-a', 'system', 'int-ü "quoted" \\']);
    const before = await everything();
    const archive = await openArchive(place());
    await apply(archive);
    const after = await everything();
    expect(after.length).toBeLessThan(before.length);
    const options = { prefix: '', keepDays: 1, signal };
    const result = await importLogs({ database: database.current, audit }, archive, options);
    expect(result).toMatchObject({ added: before.length - after.length, records: before.length - after.length });
    expect(await everything()).toEqual(before);
    expect(await importLogs({ database: database.current, audit }, archive, options)).toMatchObject({ added: 0 });
    archive.close();
  });
}

describe('an archive', () => {
  roundTrip('a folder', () => ({ place: folder }));

  describe('in a store that speaks S3', () => {
    let server: S3rver;
    let endpoint: string;
    let directory: string;
    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), 'integration-services-test-'));
      server = new S3rver({
        address: '127.0.0.1',
        port: 0,
        silent: true,
        directory,
        configureBuckets: [{ name: 'our-logs', configs: [] }],
      });
      const { port } = await server.run();
      endpoint = `http://127.0.0.1:${port}`;
      process.env.AWS_ACCESS_KEY_ID = 'S3RVER';
      process.env.AWS_SECRET_ACCESS_KEY = 'S3RVER';
    });
    afterAll(async () => {
      await server.close();
      delete process.env.AWS_ACCESS_KEY_ID;
      delete process.env.AWS_SECRET_ACCESS_KEY;
      rmSync(directory, { recursive: true, force: true });
    });
    roundTrip('a bucket', () => ({ place: 's3://our-logs/some/prefix', endpoint }));
  });

  it('has a manifest with hashes, and one JSON object a line', async () => {
    await fill([400]);
    await apply(await openArchive({ place: folder }));
    const [day] = readdirSync(folder);
    const manifest = JSON.parse(readFileSync(join(folder, day!, 'manifest.json'), 'utf8'));
    expect(manifest).toMatchObject({ day, pieces: [{ records: 12 }] });
    const lines = gunzipSync(readFileSync(join(folder, day!, manifest.pieces[0].name)))
      .toString()
      .trim()
      .split('\n');
    expect(JSON.parse(lines[0]!)).toMatchObject({
      integrationId: 'int-a',
      level: 'debug',
      severityNumber: 5,
      attributes: { day: 400 },
    });
  });

  it('that does not keep what it is given has nothing deleted', async () => {
    await fill([1, 400]);
    const before = await everything();
    const real = await openArchive({ place: folder });
    const forgetful: LogArchive = {
      put: async (name, bytes) => real.put(name, name.endsWith('.gz') ? bytes.subarray(1) : bytes),
      get: (name) => real.get(name),
      list: (prefix) => real.list(prefix),
      close() {},
    };
    await expect(apply(forgetful)).rejects.toThrow(LogArchiveError);
    expect(await everything()).toEqual(before);
  });

  it('that was changed is not imported', async () => {
    await fill([400]);
    const archive = await openArchive({ place: folder });
    await apply(archive);
    const [day] = readdirSync(folder);
    const [piece] = readdirSync(join(folder, day!)).filter((name) => name.endsWith('.gz'));
    writeFileSync(join(folder, day!, piece!), gzipSync('{"seq": 1}\n'));
    const importing = importLogs({ database: database.current, audit }, archive, { prefix: '', keepDays: 1, signal });
    await expect(importing).rejects.toThrow(/SHA-256/);
    expect(await everything()).toEqual([]);
  });
});

it('is set at run time, audited, and applied by the job', async () => {
  const { settings } = app.comprehensiveLoggingService;
  await settings.changeRetention({ rules: [{ scope: '*', level: 'info', keepDays: 0 }], maxBytes: 5_000_000 });
  expect(await settings.retention()).toMatchObject({
    rules: [{ scope: '*', level: 'info', keepDays: 0 }],
    maxBytes: 5_000_000,
  });
  const yesterday = new Date(Date.now() - DAY_MS);
  await database.current.pool.query(
    `insert into logs (seq, observed_at, at, integration_id, severity, message, attributes) values
     (900000001, $1, $1, 'int-job', 9, 'one', '{}'), (900000002, $1, $1, 'int-job', 13, 'two', '{}')`,
    [yesterday],
  );
  await settings.changeRetention({ maxBytes: null });
  await app.logKeeping.applyRetention(signal);
  const { rows } = await database.current.pool.query(`select severity from logs where integration_id = 'int-job'`);
  expect(rows).toEqual([{ severity: 13 }]);
  await settings.changeRetention({ rules: [{ scope: '*', level: 'info', keepDays: null }] });
  expect(await settings.retention()).toMatchObject({ rules: [] });
});
