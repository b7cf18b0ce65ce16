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

describe('the alert about a channel that fails', () => {
  const failing = async (notifications: Notifications) => {
    const active = await notifications.service.listActive({ limit: 10 });
    return active.filter(({ labels }) => labels.alertname === 'Notification channel fails').length;
  };
  /** Two channels, of which one has just failed, and was told of by the other. */
  async function failed(): Promise<{ notifications: Notifications; good: Receiver; bad: Receiver; badId: string }> {
    const notifications = await openNotifications();
    const [bad, good] = [await startReceiver(), await startReceiver()];
    const badId = await addWebhook(notifications, bad, 'bad');
    await addWebhook(notifications, good, 'good');
    bad.answers.push(...Array.from({ length: 50 }, () => ({ status: 410 })));
    await change('a', 'firing', notifications.clock.now());
    await pass(notifications, 2 * MINUTE);
    expect(await failing(notifications)).toBe(1);
    return { notifications, good, bad, badId };
  }

  it.each<[string, (service: Notifications['service'], id: string) => Promise<unknown>]>([
    ['is deleted', (service, id) => service.channels.delete(id)],
    ['is switched off', (service, id) => service.channels.update(id, { active: false })],
  ])('is over when the channel %s', async (_how, act) => {
    const { notifications, good, badId } = await failed();
    await act(notifications.service, badId);
    expect(await failing(notifications)).toBe(0);
    await pass(notifications, 6 * MINUTE);
    expect(titles(good).filter((title) => title.endsWith('channel fails'))).toEqual([
      'alert.firing Notification channel fails',
      'alert.resolved Notification channel fails',
    ]);
  });

  it('is over when a test message arrives, and comes back when it fails again', async () => {
    const { notifications, bad, badId } = await failed();
    expect(await notifications.service.channels.test(badId)).toMatchObject({ ok: false });
    expect(await failing(notifications)).toBe(1);
    bad.answers.length = 0;
    expect(await notifications.service.channels.test(badId)).toMatchObject({ ok: true });
    expect(await failing(notifications)).toBe(0);
    expect((await notifications.service.status()).failingChannels).toEqual([]);
    bad.answers.push(...Array.from({ length: 50 }, () => ({ status: 410 })));
    await change('b', 'firing', notifications.clock.now());
    await pass(notifications, MINUTE);
    expect(await failing(notifications)).toBe(1);
  });

  it('comes back when the channel is switched on again and fails again', async () => {
    const { notifications, badId } = await failed();
    await notifications.service.channels.update(badId, { active: false });
    await notifications.service.channels.update(badId, { active: true });
    await change('b', 'firing', notifications.clock.now());
    await pass(notifications, MINUTE);
    expect(await failing(notifications)).toBe(1);
  });
});

describe('alerts whose channels are gone', () => {
  it('go to the policy when the rule names channels that were deleted', async () => {
    const notifications = await openNotifications();
    const { service, clock } = notifications;
    const [named, other] = [await startReceiver(), await startReceiver()];
    const namedId = await addWebhook(notifications, named, 'named');
    await addWebhook(notifications, other, 'other');
    const notify = { policyId: null, channelIds: [namedId] };
    await change('a', 'firing', clock.now(), { notify });
    await pass(notifications, MINUTE);
    expect([titles(named), titles(other)]).toEqual([['alert.firing a'], []]);
    await service.channels.delete(namedId);
    await change('b', 'firing', clock.now(), { notify });
    await pass(notifications, 6 * MINUTE);
    expect(titles(other).sort()).toEqual(['alert.firing a', 'alert.firing b']);
  });

  it('go to the fallback channel when those of the policy are switched off', async () => {
    const notifications = await openNotifications();
    const { service, clock } = notifications;
    const [own, fallback, other] = [await startReceiver(), await startReceiver(), await startReceiver()];
    const ownId = await addWebhook(notifications, own, 'own');
    const fallbackId = await addWebhook(notifications, fallback, 'fallback');
    await addWebhook(notifications, other, 'other');
    await service.policies.update('apo_default', { channels: [ownId], fallbackChannel: fallbackId });
    await service.channels.update(ownId, { active: false });
    await change('a', 'firing', clock.now());
    await pass(notifications, MINUTE);
    expect([titles(own), titles(fallback), titles(other)]).toEqual([[], ['alert.firing a'], []]);
  });
});

it('of a rule that cannot be evaluated it is told why, not what the rule says of a value', async () => {
  const notifications = await openNotifications();
  const receiver = await startReceiver();
  await addWebhook(notifications, receiver);
  const annotations = { summary: 'no value logins failed', runbook: 'https://example.com/run' };
  await change('a', 'firing', notifications.clock.now(), { annotations, reason: 'error', error: 'canceled' });
  await change('b', 'firing', notifications.clock.now(), { annotations, reason: 'no_data' });
  await pass(notifications, MINUTE);
  const told = receiver.received.map(({ body }) => body.data.alerts[0]);
  expect(Object.fromEntries(told.map(({ name, summary }) => [name, summary]))).toEqual({
    a: 'The rule cannot be evaluated, so nothing is known: canceled',
    b: 'Nothing was measured.',
  });
  expect(told[0].runbook).toBe('https://example.com/run');
});

describe('an inhibition that lingers', () => {
  it('holds back what begins after its cause, and tells the end of what was told before', async () => {
    const notifications = await openNotifications();
    const { service, clock } = notifications;
    const receiver = await startReceiver();
    await addWebhook(notifications, receiver);
    const matching = (value: string) => [{ label: 'role', op: '=' as const, value }];
    await service.inhibitions.add({
      name: 'lingers',
      sourceMatchers: matching('cause'),
      targetMatchers: matching('effect'),
      lingerMs: 20 * MINUTE,
    });
    const effect = { labels: { role: 'effect' } };
    await change('early', 'firing', clock.now(), effect);
    await pass(notifications, MINUTE);
    await change('cause', 'firing', clock.now(), { labels: { role: 'cause' } });
    await pass(notifications, 6 * MINUTE);
    await change('cause', 'normal', clock.now(), { labels: { role: 'cause' } });
    await change('late', 'firing', clock.now(), effect);
    await pass(notifications, 10 * MINUTE);
    await change('early', 'normal', clock.now(), effect);
    await pass(notifications, 8 * MINUTE);
    expect(titles(receiver)).toEqual([
      'alert.firing early',
      'alert.firing cause',
      'alert.resolved cause',
      'alert.resolved early',
    ]);
    await pass(notifications, 6 * MINUTE);
    expect(titles(receiver).slice(4)).toEqual(['alert.firing late']);
  });
});

describe('without a channel', () => {
  it('says so, and tells the first channel that is added of what fires', async () => {
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (text: string) => warnings.push(text) };
    const notifications = await openNotifications({ log });
    await change('a', 'firing', notifications.clock.now());
    await pass(notifications, 12 * MINUTE);
    expect(warnings).toEqual([
      'Alerts fire and nobody is told: no notification channel that they go to is there and active.',
    ]);
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
