import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { App } from '../../../src/app.ts';
import { DEFAULT_RULES } from '../../../src/monitoring/alerts/defaultRules.ts';
import { openTestApp } from '../../support/app.ts';
import { useTestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { errorRateRule } from './support/rules.ts';

const database = useTestDatabase();

const statesOf = async (app: App, ruleId: string) =>
  (await app.monitoringService.getAlerts({ ruleId })).map(({ state }) => state);

test('a running server evaluates by itself, another one takes over, and changes of rules count within seconds', async () => {
  const { pool } = database.current;
  await pool.query(
    `insert into integrations (id, owner, name, type, platform, status, configuration)
     values ('int_a', 'o', 'n', 't', 'p', 'connected', '{}')`,
  );
  const first = await openTestApp(database.url);
  expect(await first.alerts.rules.list({}, null, 100)).toHaveLength(Object.keys(DEFAULT_RULES).length);
  const rule = await first.alerts.rules.create(errorRateRule({ windowMs: 600_000 }));
  await pool.query(
    `insert into metric_minutes (bucket, integration_id, operation, outcome, part, calls, total_ms, response_bytes, phases)
     values (date_trunc('minute', now()), 'int_a', 'sync', 'timeout', 'test', 1, 10, 0, '')`,
  );
  await eventually('the alert', async () => (await statesOf(first, rule.id))[0] === 'firing');

  const second = await openTestApp(database.url);
  await first.close();
  await second.alerts.rules.update(rule.id, { threshold: 100 });
  await eventually('the end of the alert', async () => (await statesOf(second, rule.id)).length === 0);
  await second.alerts.rules.update(rule.id, { threshold: 50 });
  await eventually('the alert again', async () => (await statesOf(second, rule.id))[0] === 'firing');
  await second.alerts.rules.delete(rule.id);
  await eventually('its end with the rule', async () => (await statesOf(second, rule.id)).length === 0);
  await second.close();

  const { rows } = await pool.query(
    `select from_state || '>' || to_state as change, reason from alert_changes where rule_id = $1 order by seq`,
    [rule.id],
  );
  expect(rows).toEqual([
    { change: 'normal>firing', reason: 'value' },
    { change: 'firing>normal', reason: 'value' },
    { change: 'normal>firing', reason: 'value' },
    { change: 'firing>normal', reason: 'rule_deleted' },
  ]);
});

test('switched off, nothing is evaluated', async () => {
  const app = await openTestApp(database.url, { environment: { MONITORING_ENABLED: 'false' } });
  await delay(2_000);
  const { rows } = await database.current.pool.query('select 1 from alert_shards where lease_until is not null');
  expect(rows).toEqual([]);
  await app.close();
});
