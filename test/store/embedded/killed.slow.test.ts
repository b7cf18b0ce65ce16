import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openDatabase } from '../../../src/store/database.ts';
import { databasePid, useDataDirs } from '../../support/dataDir.ts';
import { eventually } from '../../support/eventually.ts';
import { startProgram } from '../../support/processes.ts';

const makeDataDir = useDataDirs();
const VICTIMS = ['process', 'database', 'both'] as const;
const ROUNDS = 21;

test(`no acknowledged row is lost when the process, the database or both are killed, ${ROUNDS} times`, async () => {
  const dataDir = makeDataDir();
  const acknowledged = new Set<number>();
  let first = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const victim = VICTIMS[round % VICTIMS.length]!;
    const writer = startProgram('store/fixtures/writer.ts', [dataDir, String(first)]);
    const wrote = () => writer.lines.filter((line) => line.startsWith('wrote '));
    const trace = () => `round ${round}, ${victim}:\n${writer.lines.slice(-5).join('\n')}`;
    await eventually(`rows, ${trace()}`, () => wrote().length > 20);
    // Somewhere in the middle of the writing.
    await delay(Math.random() * 60);
    const pid = databasePid(dataDir)!;
    if (victim !== 'process') process.kill(pid, 'SIGKILL');
    if (victim !== 'database') await writer.kill();
    if (victim === 'database') {
      // The process lives, starts it again by itself, and goes on writing.
      await eventually(`another database, ${trace()}`, () => (databasePid(dataDir) ?? pid) !== pid);
      const before = wrote().length;
      await eventually(`writing to go on, ${trace()}`, () => wrote().length > before + 20);
      await writer.kill();
    }
    for (const line of wrote()) acknowledged.add(Number(line.slice('wrote '.length)));
    first = Math.max(...acknowledged) + 1_000;
  }

  const database = await openDatabase({ url: null, dataDir });
  const { rows } = await database.pool.query<{ number: number }>('select number from acknowledged');
  await database.close();
  const there = new Set(rows.map((row) => row.number));
  expect([...acknowledged].filter((number) => !there.has(number))).toEqual([]);
  expect(acknowledged.size).toBeGreaterThan(ROUNDS * 20);
}, 300_000);
