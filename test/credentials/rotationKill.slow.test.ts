import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { useTestDatabase } from '../support/database.ts';
import { startProgram } from '../support/processes.ts';
import { insertIntegrations, keyRows, openInstallation, rowsByKey, SECRET, saveAll } from './installation.ts';

const ROWS = 120;
const ROUNDS = 8;
const database = useTestDatabase();

it(`loses nothing when the rotating process is killed at ${ROUNDS} random points`, { timeout: 120_000 }, async () => {
  const running = await openInstallation(database.current);
  const ids = await insertIntegrations(database.current, ROWS);
  await saveAll(database.current, running, ids);
  const allReadable = async () => {
    for (const id of ids) expect(await running.store.load(id)).toEqual({ token: id });
  };

  const rotate = () => startProgram('credentials/fixtures/rotationProcess.ts', [database.url, SECRET]);
  const seen = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const rotation = rotate();
    // From before the new key exists to somewhere in the middle.
    await rotation.line('rotating');
    if (round % 4 !== 0) await Promise.any([rotation.line('rewrapped'), rotation.line('result')]);
    await delay(Math.random() * 60);
    await rotation.kill();

    const keys = await keyRows(database.current);
    for (const { id } of keys) seen.add(id);
    expect(keys.filter(({ status }) => status === 'active')).toHaveLength(1);
    const rows = Object.values(await rowsByKey(database.current));
    expect(rows.reduce((sum, count) => sum + count, 0)).toBe(ROWS);
    await allReadable();
  }

  const last = rotate();
  expect(JSON.parse((await last.line('result')).slice('result '.length))).toMatchObject({
    unreadable: 0,
    retiringKeyIds: [],
  });
  expect(await last.ended).toBe(0);
  const [active, ...others] = await keyRows(database.current);
  expect(others).toEqual([]);
  expect(await rowsByKey(database.current)).toEqual({ [active!.id]: ROWS });
  expect(seen.size).toBeGreaterThan(1);
  await allReadable();
});
