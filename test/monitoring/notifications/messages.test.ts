import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { AlertRules } from '../../../src/monitoring/alerts/alertRules.ts';
import type { CreateRuleData } from '../../../src/monitoring/alerts/ruleSchema.ts';
import { measuredText } from '../../../src/monitoring/notifications/measured.ts';
import { unheardAudit } from '../../support/audit.ts';
import { useTestDatabase } from '../../support/database.ts';
import { errorRateRule } from '../alerts/support/rules.ts';
import { type Change, insertIntegration, passTime, useNotifications, writeChange } from './support/notifications.ts';
import { useReceivers } from './support/receiver.ts';

const database = useTestDatabase();
const openNotifications = useNotifications(database);
const startReceiver = useReceivers();

const SHOP = { labels: { integrationId: 'int_shop', platform: 'http' } };

/** A webhook and a chat that are told of a stored rule's alert. */
async function openChannels(fields: Partial<CreateRuleData>) {
  const notifications = await openNotifications();
  const { service, clock } = notifications;
  const [hook, chat] = [await startReceiver(), await startReceiver()];
  await service.channels.add({ kind: 'webhook', name: 'hook', settings: { url: hook.url } });
  await service.channels.add({ kind: 'slack', name: 'chat', settings: { url: chat.url } });
  const rule = await new AlertRules(database.current, unheardAudit).create(errorRateRule(fields));
  await insertIntegration(database.current, 'int_shop', 'Flaky shop', 'http');
  return {
    service,
    rule,
    hook,
    chat,
    change: (change: Omit<Change, 'alert' | 'atMs'>) =>
      writeChange(database.current, { alert: rule.name, ruleId: rule.id, ...SHOP, ...change, atMs: clock.now() }),
    pass: (ms: number) => passTime(database.current, notifications, clock.now() + ms),
  };
}

describe('a message', () => {
  it('says what was measured, with units, also where the rule has no summary', async () => {
    const { change, pass, hook, chat } = await openChannels({
      metric: 'response_time_ms',
      aggregation: 'p95',
      windowMs: 300_000,
      threshold: 5_000,
    });
    await change({ to: 'firing', value: 6_119.731 });
    await pass(60_000);
    const measured = 'p95 of response time 6,120 ms, above 5,000 ms, over 5 minutes';
    expect(hook.received[0]!.body.data.alerts[0]).toMatchObject({
      summary: measured,
      measured,
      labels: { integrationId: 'int_shop' },
      integration: { id: 'int_shop', name: 'Flaky shop', platform: 'http' },
    });
    expect(chat.received[0]!.body.attachments[0].text.split('\n')[0]).toBe(measured);
  });

  it('that an alert ended for want of data says so, and not that anything has recovered', async () => {
    const { change, pass, hook, chat } = await openChannels({
      annotations: { summary: '{{ value }} % of the calls fail.' },
    });
    await change({ to: 'firing', value: 40, annotations: { summary: '40 % of the calls fail.' } });
    await pass(60_000);
    const annotations = { summary: 'no value % of the calls fail.' };
    await change({ to: 'normal', reason: 'no_data', samples: 0, value: null, annotations });
    await pass(300_000);
    expect(chat.received[1]!.body.text).toBe('[RESOLVED, no data any more] Many errors: Flaky shop (http)');
    const text = chat.received[1]!.body.attachments[0].text;
    expect(text).toContain('Resolved: no calls in the window any more. That does not say that it has recovered.');
    expect(text).not.toContain('no value');
    expect(hook.received[1]!.body.data).toMatchObject({ status: 'resolved', alerts: [{ cause: 'no_data' }] });
  });

  it('that a value recovered says no such thing', async () => {
    const { change, pass, chat } = await openChannels({});
    await change({ to: 'firing', value: 40 });
    await pass(60_000);
    await change({ to: 'normal', value: 1 });
    await pass(300_000);
    expect(chat.received[1]!.body.text).toBe('[RESOLVED] Many errors: Flaky shop (http)');
    expect(chat.received[1]!.body.attachments[0].text).toContain('error rate 1 %, alerts above 5 %, over 1 minute');
  });

  it('about several integrations names two and counts the others', async () => {
    const { service, change, pass, chat } = await openChannels({});
    const [policy] = await service.policies.list();
    await service.policies.update(policy!.id, { groupBy: ['alertname'] });
    for (const at of [1, 2, 3]) {
      await insertIntegration(database.current, `int_${at}`, `Shop ${at}`, 'github');
      await change({ ruleId: `rule_${at}`, to: 'firing', labels: { integrationId: `int_${at}` } });
    }
    await pass(60_000);
    expect(chat.received[0]!.body.text).toBe(
      '[ERROR] Many errors: Shop 1 (github), Shop 2 (github) and 1 other (3 alerts)',
    );
    expect(chat.received[0]!.body.attachments[0].text).toContain('*ERROR Many errors*');
  });
});

it('an active alert shows the value of now in its texts, too', async () => {
  const { service, rule, change, pass } = await openChannels({
    annotations: { summary: '{{ value }} % of the calls of {{ labels.integrationId }} fail.' },
  });
  await change({ to: 'firing', value: 40, annotations: { summary: '40 % of the calls of int_shop fail.' } });
  await pass(0);
  await sql`
    insert into alert_instances (rule_id, fingerprint, query_version, labels, integration_id, state, reason, value,
      active_since, fired_at, changed_at, evaluated_at, evidence)
    values (${rule.id}, '0000000000000001', 1, ${JSON.stringify(SHOP.labels)}::jsonb, 'int_shop', 'firing', 'value', 100,
      now(), now(), now(), now(), '{"samples": 1}')`.execute(database.current.db);
  expect((await service.listActive({ limit: 10 })).map(({ value, annotations }) => [value, annotations])).toEqual([
    [100, { summary: '100 % of the calls of int_shop fail.' }],
  ]);
});

it.each([
  [
    { metric: 'disk_free_ratio', aggregation: 'last', op: '<', threshold: 0.1 },
    0.08934,
    'free disk 8.93 %, below 10 %',
  ],
  [
    { metric: 'success_rate', aggregation: 'avg', op: '<', threshold: 99.95 },
    99.9421,
    'success rate 99.9 %, below 99.95 %, over 5 minutes',
  ],
  [
    { metric: 'error_rate', aggregation: 'avg', op: '>', threshold: 5 },
    5.0004,
    'error rate 5.0004 %, above 5 %, over 5 minutes',
  ],
  [
    { metric: 'failed_logins', aggregation: 'sum', op: '>=', threshold: 30 },
    31,
    'failed logins 31, at or above 30, over 5 minutes',
  ],
  [
    { metric: 'process_memory_bytes', aggregation: 'avg', op: '>', threshold: 2e9 },
    2_345_678_901,
    'average of memory of the process 2.35 GB, above 2 GB, over 5 minutes',
  ],
  [
    { metric: 'error_rate', aggregation: 'avg', op: '>', threshold: 5 },
    null,
    'error rate: nothing measured, over 5 minutes (alerts above 5 %)',
  ],
] as const)('%j of %j is written as people read it', (measure, value, text) => {
  expect(measuredText({ ...measure, windowMs: 300_000 }, value)).toBe(text);
});
