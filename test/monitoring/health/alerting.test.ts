import { beforeEach, expect, test } from 'vitest';
import { AlertRules } from '../../../src/monitoring/alerts/alertRules.ts';
import { observeAlerting } from '../../../src/monitoring/health/observeAlerting.ts';
import { unheardAudit } from '../../support/audit.ts';
import { useTestDatabase } from '../../support/database.ts';
import { errorRateRule } from '../alerts/support/rules.ts';
import { writeChange } from '../notifications/support/notifications.ts';

const database = useTestDatabase();
const MINUTE = 60_000;
const look = (watchedMs = 60 * MINUTE) => observeAlerting(database.current, performance.now() - watchedMs);
const evaluated = (minutesAgo: number) =>
  database.current.pool.query(`update alert_shards set evaluated_at = now() - make_interval(mins => $1)`, [minutesAgo]);

beforeEach(async () => {
  await database.current.pool.query(
    `truncate alert_rules, alert_changes, notifications cascade;
     update alert_counters set value = 0; update notification_intake set seq = 0`,
  );
  await new AlertRules(database.current, unheardAudit).create(errorRateRule({ intervalMs: MINUTE }));
  await evaluated(1);
});

test('passes while rules are evaluated and told of', async () => {
  expect(await look()).toMatchObject({ status: 'pass', observedValue: 0 });
});

test('warns when rules miss their times, as long as their own intervals take', async () => {
  await evaluated(4);
  expect((await look()).status).toBe('pass');
  await evaluated(6);
  expect(await look()).toMatchObject({
    status: 'warn',
    observedValue: 180,
    output: expect.stringContaining('evaluated'),
  });
  // Nobody could, as long as nothing was running.
  expect((await look(MINUTE)).status).toBe('pass');
  await database.current.pool.query('update alert_rules set enabled = false');
  expect((await look()).status).toBe('pass');
});

test('warns when what was found is not taken in', async () => {
  await writeChange(database.current, { alert: 'a', to: 'firing', atMs: Date.now() - 3 * MINUTE });
  expect(await look()).toMatchObject({ status: 'warn', output: expect.stringContaining('taken in') });
  await database.current.pool.query('update notification_intake set seq = 1');
  expect((await look()).status).toBe('pass');
});

test('warns when notifications wait, but not for those that wait for another one', async () => {
  const add = (id: string, minutesAgo: number) =>
    database.current.pool.query(
      `insert into notifications (id, group_id, policy_id, channel_id, channel_name, reason, message, due_at, created_at)
       values ($1, 'g', 'p', 'c', 'n', 'firing', '{}', now() - make_interval(mins => $2), now())`,
      [id, minutesAgo],
    );
  await add('1', -1);
  await add('2', 9);
  expect((await look()).status).toBe('pass');
  await database.current.pool.query(`update notifications set due_at = now() - interval '5 minutes' where id = '1'`);
  expect(await look()).toMatchObject({ status: 'warn', observedValue: 300, output: expect.stringContaining('sends') });
});
