import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestServer, type TestServer } from '../../http/testServer.ts';
import { useTestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { writeLogs } from '../support.ts';
import { followSocket } from './clients.ts';

const database = useTestDatabase();
let server: TestServer;
let headers: Record<string, string>;

beforeAll(async () => {
  server = await openTestServer(database.url, { workers: false });
  headers = { authorization: `Bearer ${server.app.secrets.apiKey}` };
});
afterAll(() => server?.close());

const query = { integrationId: 'int_big' };

/** More than the buffers of two sockets on loopback take, in records of 20 kB; little enough at a time for a reader. */
async function flood(): Promise<number[]> {
  const seqs: number[] = [];
  for (let batch = 0; batch < 40; batch++) {
    const rows = await database.current.transaction(async (tx) => {
      const inserted = await sql<{ seq: number }>`
        with numbers as (update log_sequence set next = next + 30 returning next - 30 as first)
        insert into logs
        select first + n, now(), now(), 'int_big', 9, repeat('x', 20000), null, null, null, null, null, '{}'
        from numbers, generate_series(0, 29) n
        returning seq`.execute(tx);
      return inserted.rows;
    });
    seqs.push(...rows.map(({ seq }) => seq));
    await delay(100);
  }
  return seqs;
}

it('a client that reads again is told what it missed, and can read it; others miss nothing', async () => {
  const reading = await followSocket(server.url, { headers, query });
  const slow = await followSocket(server.url, { headers, query });
  const before = process.memoryUsage().rss;
  slow.socket.pause();
  const seqs = await flood();
  await eventually('everything', () => reading.logs.length === seqs.length);
  expect(reading.logs.map(({ seq }) => seq)).toEqual(seqs);
  expect(reading.gaps).toEqual([]);
  // The flood is twenty megabytes; a megabyte of it waits here, the rest is left out.
  expect(process.memoryUsage().rss - before).toBeLessThan(250 * 1024 * 1024);

  slow.socket.resume();
  await eventually('a gap', () => slow.gaps.length > 0);
  const [last] = await writeLogs(database.current, [{ integrationId: 'int_big', message: 'after' }]);
  await eventually('what comes after', () => slow.logs.at(-1)?.seq === last);
  expect(slow.gaps).toHaveLength(1);
  const [{ fromSeq, toSeq }] = slow.gaps as [{ fromSeq: number; toSeq: number }];
  const got = slow.logs.map(({ seq }) => seq);
  expect(got).toEqual([...seqs, last].filter((seq) => seq! < fromSeq || seq! > toSeq));

  const missed: number[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const search = new URLSearchParams({ ...query, searchQuery: `seq:[${fromSeq} TO ${toSeq}]`, limit: '200' });
    if (cursor !== '') search.set('cursor', cursor);
    const { json } = await server.request('GET', `/api/v1/logs?${search}`);
    missed.push(...json.data.map(({ seq }: { seq: number }) => seq));
    cursor = json.nextCursor;
  }
  expect([...got, ...missed].sort((a, b) => a - b)).toEqual([...seqs, last]);
});

it('a client that takes nothing for 15 seconds is given up', async () => {
  const stuck = await followSocket(server.url, { headers, query });
  const bringing = await followSocket(server.url, { headers, query: { ...query, since: '0' } });
  stuck.socket.pause();
  bringing.socket.pause();
  await flood();
  await eventually('the streams to end', () => server.app.logs.streams.size === 0, 60_000);
  stuck.socket.resume();
  await eventually('the close', () => stuck.ended() !== null);
});
