import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { type Log, silentLog } from '../../src/core/log.ts';
import { LogsOverloadedError } from '../../src/logging/errors.ts';
import { LogRecorder } from '../../src/logging/logRecorder.ts';
import type { Database } from '../../src/store/database.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

const database = useTestDatabase();
let root: string;
let said: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'integration-services-test-'));
  said = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function openRecorder(maxWaitingBytes = 10_000_000): LogRecorder {
  const sink: Log = {
    ...silentLog,
    warn: (message) => void said.push(message),
    error: (message) => void said.push(message),
  };
  return new LogRecorder({ clock: systemClock, root, maxWaitingBytes, level: 'info', sink });
}

/** The real one, whose connections can be cut and refused. */
function cuttable(): Database & { away: boolean; cut(): Promise<void> } {
  const { current } = database;
  const pool = new Proxy(current.pool, {
    get(target, name) {
      if (name !== 'connect') return Reflect.get(target, name);
      return async () => {
        if (connection.away) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
        return await target.connect();
      };
    },
  });
  const connection = {
    ...current,
    pool,
    away: false,
    async cut() {
      connection.away = true;
      await current.pool.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      );
    },
  };
  return connection;
}

async function storedIndexes(scope: string): Promise<number[]> {
  const { rows } = await database.current.pool.query<{ index: number }>(
    `select (attributes->>'index')::int as index from logs where integration_id = $1 order by seq`,
    [scope],
  );
  return rows.map(({ index }) => index);
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe('while the database is away', () => {
  it('records wait in the journal, and are stored in order, each once, when it is back', async () => {
    const recorder = openRecorder();
    const connection = cuttable();
    recorder.start(connection);
    for (const index of upTo(300)) {
      if (index === 100) await connection.cut();
      await recorder.record('int-away', 'info', 'numbered', { index });
    }
    await eventually('it is noticed', () => recorder.state.failure !== null);
    await expect(recorder.flush()).rejects.toThrow(LogsOverloadedError);
    expect(recorder.state.waitingBytes).toBeGreaterThan(0);
    connection.away = false;
    await eventually('it is stored', () => recorder.state.waitingBytes === 0);
    await recorder.close();
    expect(await storedIndexes('int-away')).toEqual(upTo(300));
    expect(recorder.state.dropped).toBe(0);
    expect(said).toContain('Log records wait for the database');
  });

  it('a recorder that is closed leaves its journal, which the next one loads', async () => {
    const first = openRecorder();
    for (const index of upTo(50)) await first.record('int-left', 'info', 'numbered', { index });
    await first.close();
    expect(await storedIndexes('int-left')).toEqual([]);
    const second = openRecorder();
    second.start(database.current);
    await eventually('it is loaded', async () => (await storedIndexes('int-left')).length === 50);
    await eventually('its files are gone', () => readdirSync(root).length === 0);
    await second.close();
    expect(await storedIndexes('int-left')).toEqual(upTo(50));
  });

  it('two that find the same journal load it once', async () => {
    const first = openRecorder();
    for (const index of upTo(2_000)) void first.record('int-shared', 'info', 'numbered', { index });
    await first.close();
    const others = upTo(4).map(() => openRecorder());
    for (const other of others) other.start(database.current);
    await eventually('it is loaded', () => readdirSync(root).length === 0);
    for (const other of others) await other.close();
    expect(await storedIndexes('int-shared')).toEqual(upTo(2_000));
  });

  it('records are refused when the journal holds its fill, errors a little later; all are counted and said', async () => {
    const recorder = openRecorder(20_000);
    let kept = 0;
    const outcomes = await Promise.allSettled(
      upTo(400).map(async (index) => {
        await recorder.record('int-full', 'info', 'numbered', { index });
        kept += 1;
      }),
    );
    // All at once, before any of it was written.
    expect(outcomes.every(({ status }) => status === 'fulfilled')).toBe(true);
    const refused = await recorder.record('int-full', 'info', 'too much').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(LogsOverloadedError);
    expect(String(refused)).toMatch(/MB of log records wait for the database, as many as LOG_SPILL_MB allows/);
    await expect(recorder.record('int-full', 'error', 'too much')).rejects.toThrow(LogsOverloadedError);
    expect(recorder.state.dropped).toBe(2);
    recorder.start(database.current);
    await eventually('it is stored', () => recorder.state.waitingBytes === 0);
    await recorder.close();
    expect(await storedIndexes('int-full')).toHaveLength(kept);
    const { rows } = await database.current.pool.query(`select attributes from logs where event_name = 'log.dropped'`);
    expect(rows).toEqual([{ attributes: { dropped: 2, droppedSinceStart: 2 } }]);
  });
});

it('what the journal cannot take goes into the database at once', async () => {
  // A file where the folder should be, so that nothing can be written below it, whoever we are.
  const blocked = join(root, 'blocked');
  writeFileSync(blocked, '');
  root = blocked;
  const recorder = openRecorder();
  await expect(recorder.record('int-blocked', 'info', 'before the database is open')).rejects.toThrow(
    LogsOverloadedError,
  );
  recorder.start(database.current);
  await recorder.record('int-blocked', 'info', 'numbered', { index: 1 });
  expect(await storedIndexes('int-blocked')).toEqual([1]);
  await recorder.close();
});

it('a line that the table refuses does not keep the others out', async () => {
  const folder = join(root, 'jrn_01k9xv2m7d3q8h5t0c4b6n1e2f');
  mkdirSync(folder);
  writeFileSync(
    join(folder, 'owner.json'),
    JSON.stringify({ pid: 2 ** 22 + 1, host: (await import('node:os')).hostname() }),
  );
  const at = new Date().toISOString();
  const line = (index: number): string =>
    `${at}\t${at}\tint-torn\t9\tnumbered\t\\N\t\\N\t\\N\t\\N\t\\N\t{"index": ${index}}\n`;
  const old = line(3).replaceAll(at, '2020-02-29T12:00:00.000Z');
  writeFileSync(
    join(folder, `${'0'.repeat(15)}.log`),
    `${line(0)}\0\0\0\n${line(1)}{"half\n${line(2)}${old}${at}\tcut off`,
  );
  chmodSync(folder, 0o700);
  const recorder = openRecorder();
  recorder.start(database.current);
  await eventually('it is loaded', () => readdirSync(root).length === 0);
  await recorder.close();
  expect(await storedIndexes('int-torn')).toEqual([0, 1, 2, 3]);
  expect(recorder.state.dropped).toBe(2);
});
