import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { useTestDatabase } from '../support/database.ts';
import { startProgram } from '../support/processes.ts';
import { insertIntegrations, keyRows, openInstallation, rowsByKey, SECRET, saveAll } from './installation.ts';

const ROWS = 100_000;
const database = useTestDatabase();

it('rotates 100,000 credentials under reads and writes and kills, and loses none', async () => {
  const running = await openInstallation(database.current);
  const ids: string[] = [];
  while (ids.length < ROWS) {
    const more = await insertIntegrations(database.current, 5000);
    await saveAll(database.current, running, more);
    ids.push(...more);
  }
  await sql`analyze`.execute(database.current.db);
  const [oldKey] = await keyRows(database.current);

  let busy = true;
  const traffic = (async () => {
    let operations = 0;
    for (; busy; operations++) {
      const id = ids[Math.floor(Math.random() * ROWS)]!;
      if (operations % 4 === 0) await saveAll(database.current, running, [id]);
      expect(await running.store.load(id)).toEqual({ token: id });
    }
    return operations;
  })();

  const startedMs = performance.now();
  let kills = 0;
  for (; kills < 5; kills++) {
    const rotation = startProgram('credentials/fixtures/rotationProcess.ts', [database.url, SECRET, '200']);
    await rotation.line('rewrapped');
    await delay(500 + Math.random() * 1500);
    await rotation.kill();
  }
  const last = startProgram('credentials/fixtures/rotationProcess.ts', [database.url, SECRET, '200']);
  const result: unknown = JSON.parse((await last.line('result')).slice('result '.length));
  const seconds = (performance.now() - startedMs) / 1000;
  busy = false;
  console.log(`${ROWS} rewrapped in ${seconds.toFixed(1)} s with ${kills} kills, beside ${await traffic} operations`);

  expect(result).toMatchObject({ unreadable: 0, retiringKeyIds: [], resumed: true });
  const [active, ...others] = await keyRows(database.current);
  expect(others).toEqual([]);
  expect(active!.id).not.toBe(oldKey!.id);
  expect(await rowsByKey(database.current)).toEqual({ [active!.id]: ROWS });
  const fresh = await openInstallation(database.current);
  for (let at = 0; at < ROWS; at += 500) {
    const batch = ids.slice(at, at + 500);
    const loaded = await Promise.all(batch.map((id) => fresh.store.load(id)));
    expect(loaded).toEqual(batch.map((id) => ({ token: id })));
  }
});
