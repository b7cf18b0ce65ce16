import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { App } from '../../src/app.ts';
import { openTestApp } from '../support/app.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startProgram } from '../support/processes.ts';
import { describeProvider, type Provider, startProvider } from '../support/provider.ts';

const database = useTestDatabase();
let app: App;
let provider: Provider;
let id: string;
/** When the provider was asked. */
let asked: number[] = [];

beforeAll(async () => {
  [app, provider] = await Promise.all([openTestApp(database.url, { workers: false }), startProvider(1)]);
  ({ id } = await app.catalog.create({
    name: 'Called',
    platform: 'http',
    credentials: { apiKey: provider.key },
    configuration: { connector: describeProvider(provider) },
  }));
  provider.answer = (_request, response) => {
    asked.push(performance.now());
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"login":"octo"}');
  };
});

afterAll(async () => {
  await provider.close();
  await app.close();
});

async function recorded(): Promise<number> {
  const { rows } = await database.current.pool.query<{ calls: number }>(
    'select coalesce(sum(calls), 0)::int as calls from metric_minutes where integration_id = $1',
    [id],
  );
  return rows[0]!.calls;
}

it('a process that is killed loses at most what it had measured since its last write', async () => {
  const program = startProgram('performance/support/callingProcess.ts', [database.url, id]);
  await program.line('ready');
  // Some writes, so that more than the first one counts.
  await eventually('some calls', () => asked.length > 50);
  await delay(4_000);
  const written = await recorded();
  await eventually('another write', async () => (await recorded()) > written);
  const before = await recorded();
  const killedMs = performance.now();
  await program.kill();
  const kept = await recorded();
  // What was written before is there, nothing is counted twice, and what is missing is young.
  expect(kept).toBeGreaterThanOrEqual(before);
  expect(kept).toBeLessThanOrEqual(asked.length);
  const youngestMissing = asked[kept];
  if (youngestMissing !== undefined) {
    console.log(
      `${asked.length - kept} of ${asked.length} calls were lost, ${Math.round(killedMs - youngestMissing)} ms old`,
    );
    // A second between writes, and the time that a write takes on a machine that is busy with other tests.
    expect(killedMs - youngestMissing).toBeLessThan(10_000);
  }
}, 240_000);

it('one that ends in order loses nothing', async () => {
  asked = [];
  await database.current.pool.query('delete from metric_minutes where integration_id = $1', [id]);
  const program = startProgram('performance/support/callingProcess.ts', [database.url, id]);
  await program.line('ready');
  await eventually('some calls', () => asked.length > 100);
  program.child.stdin.write('end\n');
  await program.line('closed');
  expect(await recorded()).toBe(asked.length);
}, 240_000);
