import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { useTestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { startProgram } from '../../support/processes.ts';
import { useNotifications, writeChange } from './support/notifications.ts';
import { useReceivers } from './support/receiver.ts';

const database = useTestDatabase();
const openNotifications = useNotifications(database);
const startReceiver = useReceivers();

const ALERTS = Array.from({ length: 40 }, (_, index) => `alert${index}`);
const PROGRAM = 'monitoring/notifications/fixtures/notify.ts';

test('kill -9 while alerts are told of: nothing is left untold, and nothing is told under two ids', async () => {
  const { service } = await openNotifications();
  const receiver = await startReceiver();
  await service.channels.add({ kind: 'webhook', name: 'hook', settings: { url: receiver.url } });
  await service.policies.update('apo_default', { groupBy: ['alertname'], groupWaitMs: 0, groupIntervalMs: 1_000 });

  const settled = async (status: string) => {
    const { rows } = await sql<{ count: number }>`
      select count(*) as count from notifications
      where status = 'delivered' and message ->> 'status' = ${status}`.execute(database.current.db);
    return rows[0]!.count === ALERTS.length;
  };
  let kills = 0;
  const tell = async (to: 'firing' | 'normal') => {
    const writing = (async () => {
      for (const alert of ALERTS) {
        await writeChange(database.current, { alert, to, atMs: Date.now() });
        await delay(25);
      }
    })();
    for (let round = 0; round < 8; round++) {
      // As time would do it.
      await sql`update notifications set lease_until = now() - interval '1 second'`.execute(database.current.db);
      const program = startProgram(PROGRAM, [database.url]);
      await program.line('telling');
      await delay(Math.random() * 400);
      await program.kill();
      kills++;
    }
    await writing;
    await sql`update notifications set lease_until = now() - interval '1 second'`.execute(database.current.db);
    const survivors = [startProgram(PROGRAM, [database.url]), startProgram(PROGRAM, [database.url])];
    await eventually(`all that is ${to}`, () => settled(to === 'firing' ? 'firing' : 'resolved'), 120_000);
    for (const program of survivors) await program.kill();
  };
  await tell('firing');
  await tell('normal');

  expect(kills).toBe(16);
  const idsOf = new Map<string, Set<string>>();
  for (const { headers, body } of receiver.received) {
    const what = `${body.type} ${body.data.alerts[0].name}`;
    idsOf.set(what, (idsOf.get(what) ?? new Set()).add(String(headers['webhook-id'])));
  }
  expect([...idsOf.keys()].sort()).toEqual(
    ALERTS.flatMap((alert) => [`alert.firing ${alert}`, `alert.resolved ${alert}`]).sort(),
  );
  expect([...idsOf.values()].map((ids) => ids.size)).toEqual(idsOf.size === 80 ? Array(80).fill(1) : []);
  const { rows } = await sql`
    select id from notifications where status <> 'delivered'
    union all select alert_key from notified_alerts where ends_at is null
    union all select alert_key from alert_group_members`.execute(database.current.db);
  expect(rows).toEqual([]);
});
