import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/core/log.ts';
import { useTestDatabase } from '../../support/database.ts';
import { type Notifications, passTime, useNotifications, writeChange } from './support/notifications.ts';
import { type Receiver, useReceivers } from './support/receiver.ts';

const database = useTestDatabase();
const openNotifications = useNotifications(database);
const startReceiver = useReceivers();

const MINUTE = 60_000;

async function addWebhook({ service }: Notifications, receiver: Receiver, name = 'hook'): Promise<string> {
  return (await service.channels.add({ kind: 'webhook', name, settings: { url: receiver.url } })).channel.id;
}

const change = (alert: string, to: 'firing' | 'normal', atMs: number, more = {}) =>
  writeChange(database.current, { alert, to, atMs, ...more });
const pass = (notifications: Notifications, ms: number) =>
  passTime(database.current, notifications, notifications.clock.now() + ms);
const titles = (receiver: Receiver) =>
  receiver.received.map(({ body }) => `${body.type} ${body.data.alerts.map((one: { name: string }) => one.name)}`);

describe('what does not arrive', () => {
  it('is sent again under the same id, with the same body, later each time', async () => {
    const notifications = await openNotifications();
    const receiver = await startReceiver();
    await addWebhook(notifications, receiver);
    receiver.answers.push({ status: 503 }, { status: 500 }, { status: 408 });
    await change('a', 'firing', notifications.clock.now());
    await pass(notifications, MINUTE);
    expect(receiver.received).toHaveLength(4);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(receiver.received.map(({ text }) => text)).size).toBe(1);
    const [record] = await notifications.service.listNotifications({ limit: 10 });
    expect(record).toMatchObject({ status: 'delivered', attemptCount: 4 });
    const times = record!.attempts.map(({ at }) => Date.parse(at)).reverse();
    expect(times.slice(1).map((at, index) => at - times[index]!)).toEqual([1_000, 2_000, 4_000]);
    expect(record!.attempts.map(({ ok, status }) => [ok, status])).toEqual([
      [true, 200],
      [false, 408],
      [false, 500],
      [false, 503],
    ]);
  });

  it('waits as long as 429 asks for', async () => {
    const notifications = await openNotifications();
    const receiver = await startReceiver();
    await addWebhook(notifications, receiver);
    receiver.answers.push({ status: 429, headers: { 'retry-after': '120' } });
    await change('a', 'firing', notifications.clock.now());
    await pass(notifications, 30_000 + 119_000);
    expect(receiver.received).toHaveLength(1);
    await pass(notifications, 3_000);
    expect(receiver.received).toHaveLength(2);
  });

  it('goes to the fallback channel in the end, at once when the receiver refuses it', async () => {
    const notifications = await openNotifications();
    const { service, clock } = notifications;
    const [bad, good] = [await startReceiver(), await startReceiver()];
    const badId = await addWebhook(notifications, bad, 'bad');
    const goodId = await addWebhook(notifications, good, 'good');
    await service.policies.update('apo_default', { channels: [badId], fallbackChannel: goodId });
    bad.answers.push({ status: 404, text: 'no such hook' });
    await change('a', 'firing', clock.now());
    await pass(notifications, 31_000);
    expect(titles(bad)).toEqual(['alert.firing a']);
    expect(titles(good)).toEqual(['alert.firing a']);
    const [fallback, failed] = await service.listNotifications({ limit: 10 });
    expect(failed).toMatchObject({ status: 'failed', lastError: 'Answered with 404. no such hook' });
    expect(fallback).toMatchObject({ status: 'delivered', fallbackOf: failed!.id, channelName: 'good' });
  });

  it('is told anew at the next interval when nobody could be told, and then as things are by then', async () => {
    const notifications = await openNotifications();
    const { service, clock } = notifications;
    const receiver = await startReceiver();
    await addWebhook(notifications, receiver);
    await service.policies.update('apo_default', { groupBy: [] });
    receiver.answers.push(...Array.from({ length: 8 }, () => ({ status: 503 })));
    await change('a', 'firing', clock.now());
    await pass(notifications, 4 * MINUTE);
    await change('b', 'firing', clock.now());
    await pass(notifications, 2 * MINUTE);
    // The failure of the channel is an alert of the group by then.
    expect(titles(receiver).slice(8)).toEqual([expect.stringMatching(/^alert\.firing a,.*b$/)]);
    const records = await service.listNotifications({ limit: 10 });
    expect(records.map(({ status, reason }) => [status, reason])).toContainEqual(['failed', 'firing']);
  });

  it('is kept trying for a day when it is the end of an alert', async () => {
    const notifications = await openNotifications();
    const receiver = await startReceiver();
    await addWebhook(notifications, receiver);
    await change('a', 'firing', notifications.clock.now());
    await pass(notifications, MINUTE);
    receiver.answers.push(...Array.from({ length: 20 }, () => ({ status: 503 })));
    await change('a', 'normal', notifications.clock.now());
    await pass(notifications, 120 * MINUTE);
    expect(titles(receiver).at(-1)).toBe('alert.resolved a');
    expect(receiver.received).toHaveLength(22);
    const [record] = await notifications.service.listNotifications({ limit: 1 });
    expect(record).toMatchObject({ status: 'delivered', attemptCount: 21 });
  });

  it('keeps what is newer of the same group waiting, so that a channel hears things in order', async () => {
    const notifications = await openNotifications();
    const receiver = await startReceiver();
    await addWebhook(notifications, receiver);
    receiver.answers.push({ status: 429, headers: { 'retry-after': '600' } });
    const startMs = notifications.clock.now();
    await change('a', 'firing', startMs);
    await pass(notifications, MINUTE);
    await change('a', 'normal', startMs + MINUTE);
    await pass(notifications, 7 * MINUTE);
    expect(titles(receiver)).toEqual(['alert.firing a']);
    await pass(notifications, 4 * MINUTE);
    expect(titles(receiver)).toEqual(['alert.firing a', 'alert.firing a', 'alert.resolved a']);
  });
});

describe('a channel that fails', () => {
  it('is an alert, which the others tell of, until something arrives again', async () => {
    const notifications = await openNotifications();
    const { service, clock } = notifications;
    const [bad, good] = [await startReceiver(), await startReceiver()];
    await addWebhook(notifications, bad, 'bad');
    await addWebhook(notifications, good, 'good');
    bad.answers.push({ status: 410 }, { status: 410 });
    await change('a', 'firing', clock.now());
    await pass(notifications, 32_000);
    expect((await service.status()).warning).toContain('bad');
    expect((await service.listActive({ limit: 10 })).map(({ labels }) => labels.alertname)).toContain(
      'Notification channel fails',
    );
    await pass(notifications, MINUTE);
    expect(titles(good)).toContain('alert.firing Notification channel fails');
    await pass(notifications, 10 * MINUTE);
    expect((await service.status()).warning).toBeNull();
    expect(titles(good)).toContain('alert.resolved Notification channel fails');
  });
});

describe('without a channel', () => {
  it('says so, and tells the first channel that is added of what fires', async () => {
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (text: string) => warnings.push(text) };
    const notifications = await openNotifications({ log });
    await change('a', 'firing', notifications.clock.now());
    await pass(notifications, 12 * MINUTE);
    expect(warnings).toEqual(['Alerts fire and nobody is told: there is no notification channel. Add one.']);
    expect((await notifications.service.status()).warning).toContain('no notification channel');
    const receiver = await startReceiver();
    await addWebhook(notifications, receiver);
    await pass(notifications, 5 * MINUTE);
    expect(titles(receiver)).toEqual(['alert.firing a']);
  });
});

describe('routing', () => {
  it('takes the first policy that matches, or the one that the rule names, or the channels that it names', async () => {
    const notifications = await openNotifications();
    const { service, clock } = notifications;
    const [first, second] = [await startReceiver(), await startReceiver()];
    const firstId = await addWebhook(notifications, first, 'first');
    const secondId = await addWebhook(notifications, second, 'second');
    await service.policies.update('apo_default', { channels: [firstId] });
    const critical = await service.policies.add({
      name: 'critical',
      matchers: [{ label: 'severity', op: '=', value: 'critical' }],
      channels: [secondId],
    });
    await change('a', 'firing', clock.now());
    await change('b', 'firing', clock.now(), { severity: 'critical' });
    await change('c', 'firing', clock.now(), { notify: { policyId: critical.id, channelIds: [] } });
    await change('d', 'firing', clock.now(), { notify: { policyId: null, channelIds: [secondId] } });
    await pass(notifications, MINUTE);
    expect(titles(first).sort()).toEqual(['alert.firing a']);
    expect(titles(second).sort()).toEqual(['alert.firing b', 'alert.firing c', 'alert.firing d']);
    await expect(service.channels.delete(secondId)).rejects.toMatchObject({ code: 'NOTIFICATION_CHANNEL_IN_USE' });
  });

  it('sorts active alerts anew when policies change, and tells nobody twice who was told', async () => {
    const notifications = await openNotifications();
    const { service, clock } = notifications;
    const [first, second] = [await startReceiver(), await startReceiver()];
    const firstId = await addWebhook(notifications, first, 'first');
    const secondId = await addWebhook(notifications, second, 'second');
    await service.policies.update('apo_default', { channels: [firstId] });
    await change('a', 'firing', clock.now());
    await change('b', 'firing', clock.now());
    await pass(notifications, MINUTE);
    const policy = await service.policies.add({
      name: 'b',
      matchers: [{ label: 'alertname', op: '=~', value: 'b|B' }],
      channels: [secondId],
    });
    await pass(notifications, 10 * MINUTE);
    expect(titles(first).sort()).toEqual(['alert.firing a', 'alert.firing b']);
    expect(titles(second)).toEqual(['alert.firing b']);
    await service.policies.delete(policy.id);
    await pass(notifications, 10 * MINUTE);
    expect(titles(first)).toHaveLength(2);
    await change('b', 'normal', clock.now());
    await pass(notifications, 10 * MINUTE);
    expect(titles(first).at(-1)).toBe('alert.resolved b');
  });
});

describe('acknowledging', () => {
  const a = { ruleId: 'rule_a', fingerprint: '0000000000000001' };

  it('stops escalation and repeats, is told to PagerDuty, and ends with the alert', async () => {
    const notifications = await openNotifications();
    const { service, clock } = notifications;
    const [pager, chat] = [await startReceiver(), await startReceiver()];
    const routingKey = 'R0123456789abcdefghijklmnopqrstu';
    const { channel } = await service.channels.add({
      kind: 'pagerduty',
      name: 'pager',
      settings: { routingKey, url: pager.url },
    });
    const chatId = await addWebhook(notifications, chat, 'chat');
    await service.policies.update('apo_default', {
      channels: [channel.id],
      steps: [{ afterMs: 10 * MINUTE, channels: [chatId] }],
      repeatIntervalMs: 20 * MINUTE,
    });
    await expect(service.acknowledgements.acknowledge({ alerts: [a], comment: 'too early' })).rejects.toMatchObject({
      code: 'ALERT_NOT_ACTIVE',
    });
    await change('a', 'firing', clock.now());
    await pass(notifications, 2 * MINUTE);
    await service.acknowledgements.acknowledge({ alerts: [a], comment: 'on it' });
    expect((await service.listActive({ limit: 1 }))[0]!.acknowledgement).toMatchObject({
      comment: 'on it',
      until: null,
    });
    await pass(notifications, 60 * MINUTE);
    expect(chat.received).toEqual([]);
    await service.acknowledgements.unacknowledge({ alerts: [a] });
    await pass(notifications, MINUTE);
    expect(titles(chat)).toEqual(['alert.firing a']);
    await service.acknowledgements.acknowledge({ alerts: [a], comment: 'again' });
    await change('a', 'normal', clock.now());
    await pass(notifications, 10 * MINUTE);
    expect(pager.received.map(({ body }) => body.event_action)).toEqual([
      'trigger',
      'acknowledge',
      'acknowledge',
      'resolve',
    ]);
    expect(new Set(pager.received.map(({ body }) => body.dedup_key)).size).toBe(1);
    const { rows } = await sql`select * from alert_acknowledgements`.execute(database.current.db);
    expect(rows).toEqual([]);
  });

  it('counts only until the time given', async () => {
    const notifications = await openNotifications();
    const { service, clock } = notifications;
    const receiver = await startReceiver();
    await addWebhook(notifications, receiver);
    await service.policies.update('apo_default', { repeatIntervalMs: 20 * MINUTE });
    await change('a', 'firing', clock.now());
    await pass(notifications, 2 * MINUTE);
    const until = new Date(clock.now() + 30 * MINUTE).toISOString();
    await service.acknowledgements.acknowledge({ alerts: [a], comment: 'later', until });
    await pass(notifications, 25 * MINUTE);
    expect(receiver.received).toHaveLength(1);
    await pass(notifications, 15 * MINUTE);
    expect(receiver.received).toHaveLength(2);
  });
});

describe('several replicas', () => {
  it('tell of each thing once', async () => {
    const replicas = await Promise.all([openNotifications(), openNotifications(), openNotifications()]);
    const receiver = await startReceiver();
    await addWebhook(replicas[0]!, receiver);
    await replicas[0]!.service.policies.update('apo_default', { groupBy: ['...'] });
    const startMs = replicas[0]!.clock.now();
    for (let index = 0; index < 30; index++) await change(`alert${index}`, 'firing', startMs);
    const together = async (ms: number) => {
      for (const { clock } of replicas) await clock.advance(ms);
      await Promise.all(replicas.map(({ service }) => service.runOnce()));
    };
    await together(0);
    await together(31_000);
    await together(1_000);
    expect(titles(receiver).sort()).toEqual(
      Array.from({ length: 30 }, (_, index) => `alert.firing alert${index}`).sort(),
    );
  });
});
