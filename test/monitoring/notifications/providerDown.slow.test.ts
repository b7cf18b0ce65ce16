import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../../../src/core/log.ts';
import { AlertRules } from '../../../src/monitoring/alerts/alertRules.ts';
import { DEFAULT_RULES } from '../../../src/monitoring/alerts/defaultRules.ts';
import { AlertEvaluator } from '../../../src/monitoring/alerts/evaluator.ts';
import { MetricSources } from '../../../src/monitoring/metrics/metricSources.ts';
import { PerformanceMetrics } from '../../../src/monitoring/metrics/performanceMetrics.ts';
import { tableMetricSource } from '../../../src/monitoring/metrics/tableMetricSource.ts';
import { ensurePartitions } from '../../../src/store/partitions.ts';
import { unheardAudit } from '../../support/audit.ts';
import { useTestDatabase } from '../../support/database.ts';
import { passTime, useNotifications } from './support/notifications.ts';
import { useReceivers } from './support/receiver.ts';

const database = useTestDatabase();
const openNotifications = useNotifications(database);
const startReceiver = useReceivers();
const MINUTE = 60_000;
const SHOPS = ['shop_1', 'shop_2', 'shop_3', 'shop_4', 'shop_5'];

let evaluator: AlertEvaluator;

beforeEach(async () => {
  const { pool } = database.current;
  await pool.query(
    `truncate alert_rules, integrations, metric_minutes cascade;
     update alert_shards set lease_until = null, evaluated_at = null`,
  );
  await pool.query(
    `insert into integrations (id, owner, name, type, platform, status, configuration, created_at)
     select id, 'o', id, 't', case when id like 'shop%' then 'shop' else 'mail' end, 'connected', '{}', now()
     from unnest($1::text[]) id`,
    [[...SHOPS, 'mail_1']],
  );
  // The default rules as they are from the first start on.
  await new AlertRules(database.current, unheardAudit).seed(DEFAULT_RULES);
  const source = new MetricSources([new PerformanceMetrics(database.current)], [tableMetricSource(database.current)]);
  const { clock } = await openNotifications();
  await ensurePartitions(database.current, 'metric_minutes', new Date(clock.now()), 2);
  evaluator = new AlertEvaluator({ database: database.current, source, clock, log: silentLog });
  await evaluator.claimAll();
});
afterEach(() => evaluator.close());

/** What thirty calls in a minute came to. */
async function calls(ids: readonly string[], outcome: string, bucketMs: number): Promise<void> {
  await database.current.pool.query(
    `insert into metric_minutes (bucket, integration_id, operation, outcome, part, calls, total_ms, response_bytes, phases)
     select $1, id, 'sync', $2, 'test', 30, 3000, 0, '' from unnest($3::text[]) id`,
    [new Date(bucketMs), outcome, [...ids]],
  );
}

test('of a provider that is down one alert is told, not one of each integration; up again, it is resolved', async () => {
  const notifications = await openNotifications();
  const { service, clock } = notifications;
  const receiver = await startReceiver();
  await service.channels.add({ kind: 'webhook', name: 'hook', settings: { url: receiver.url } });
  const startMs = Math.ceil(clock.now() / MINUTE) * MINUTE;
  const isDown = (minute: number) => minute >= 10 && minute < 40;
  const heldBack = new Set<string>();
  for (let minute = 0; minute < 150; minute++) {
    const atMs = startMs + minute * MINUTE;
    await calls(SHOPS, isDown(minute) ? 'timeout' : 'success', atMs);
    // Fails for a reason of its own while the other provider is down.
    await calls(['mail_1'], isDown(minute) ? 'bad_request' : 'success', atMs);
    for (const halfMs of [MINUTE / 2, MINUTE]) {
      await passTime(database.current, notifications, atMs + halfMs);
      await evaluator.evaluate(atMs + halfMs);
      for (const { labels, inhibitedBy } of await service.listActive({ limit: 100 }))
        if (inhibitedBy?.alert !== undefined && labels.platform === 'shop') heldBack.add(labels.alertname!);
    }
  }
  const told = receiver.received.map(({ body }) => [
    Math.round((Date.parse(body.data.at) - startMs) / MINUTE),
    body.type,
    ...body.data.alerts.map(
      ({ labels }: { labels: Record<string, string> }) => `${labels.alertname} ${labels.platform}`,
    ),
  ]);
  const ofShop = told.filter(([, , what]) => what!.endsWith(' shop'));
  expect(ofShop).toEqual([
    [expect.any(Number), 'alert.firing', 'A provider is down shop'],
    [expect.any(Number), 'alert.resolved', 'A provider is down shop'],
  ]);
  const [firedAt, resolvedAt] = ofShop.map(([minute]) => minute as number);
  expect(firedAt).toBeLessThan(15);
  expect(resolvedAt).toBeGreaterThan(40);
  expect(resolvedAt).toBeLessThan(60);
  // These fired all the while, and were held back.
  expect(heldBack).toEqual(new Set(['Many errors', 'Low success rate']));
  // What has nothing to do with it is told: its cause alone.
  const ofMail = told.filter(([, , what]) => what!.endsWith(' mail'));
  expect(new Set(ofMail.map(([, , what]) => what))).toEqual(new Set(['Many errors mail']));
  expect(ofMail.map(([, type]) => type)).toEqual(['alert.firing', 'alert.resolved']);
  expect(told).toHaveLength(4);
});
