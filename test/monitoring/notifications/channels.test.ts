import { createHmac } from 'node:crypto';
import { sql } from 'kysely';
import { SMTPServer } from 'smtp-server';
import { afterEach, describe, expect, it } from 'vitest';
import type { ChannelInput } from '../../../src/monitoring/notifications/channels/schemas.ts';
import type { OpenChannel } from '../../../src/monitoring/notifications/channels/types.ts';
import { webhookPost } from '../../../src/monitoring/notifications/channels/webhook.ts';
import { testMessage } from '../../../src/monitoring/notifications/message.ts';
import { useTestDatabase } from '../../support/database.ts';
import { insertIntegration, passTime, useNotifications, writeChange } from './support/notifications.ts';
import { type Received, useReceivers } from './support/receiver.ts';

const database = useTestDatabase();
const openNotifications = useNotifications(database);
const startReceiver = useReceivers();

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const KEY = 'R0123456789abcdefghijklmnopqrstu';
const ALERT = {
  alert: 'Slow answers',
  labels: { integrationId: 'int_shop', platform: 'shopify' },
  annotations: { summary: 'Calls of <int_shop> take 8 s.', runbook: 'https://wiki.example.com/slow' },
  severity: 'critical',
  value: 8123.456,
};

/** Sends an alert that fires and its end to a channel, and gives what came. */
async function fireAndResolve(channel: (url: string) => ChannelInput): Promise<Received[]> {
  const notifications = await openNotifications();
  const { service, clock } = notifications;
  const receiver = await startReceiver();
  await insertIntegration(database.current, 'int_shop', 'Flaky shop', 'shopify');
  await service.channels.add(channel(receiver.url));
  await writeChange(database.current, { ...ALERT, to: 'firing', atMs: clock.now() });
  await passTime(database.current, notifications, clock.now() + 60_000);
  await writeChange(database.current, { ...ALERT, to: 'normal', atMs: clock.now() });
  await passTime(database.current, notifications, clock.now() + 300_000);
  return receiver.received;
}

describe('a channel tells what is wrong, since when, by how much and what to do:', () => {
  it('Slack-compatible', async () => {
    const [firing, resolved] = await fireAndResolve((url) => ({
      kind: 'slack',
      name: 'ops',
      settings: { url: `${url}/services/T000/B000/secretsecret` },
    }));
    expect(firing!.path).toBe('/services/T000/B000/secretsecret');
    expect(firing!.headers['idempotency-key']).toMatch(/^ntf_/);
    expect(firing!.body.text).toBe('[CRITICAL] Slow answers: Flaky shop (shopify)');
    expect(firing!.body.attachments[0].text).toBe(
      [
        'Calls of &lt;Flaky shop (shopify)&gt; take 8 s.',
        'Integration: Flaky shop (shopify), int_shop',
        'Value: 8123',
        'Since: 2023-11-14 22:13 UTC (30 s)',
        '<https://integrations.example.com/alerts/rule_Slow%20answers/0000000000000001|Open> · <https://wiki.example.com/slow|Runbook>',
      ].join('\n'),
    );
    expect(resolved!.body.text).toBe('[RESOLVED] Slow answers: Flaky shop (shopify)');
    expect(resolved!.body.attachments[0].text).toContain(
      'Lasted: 1 min, from 2023-11-14 22:13 UTC to 2023-11-14 22:14 UTC',
    );
  });

  it('PagerDuty, one incident from trigger to resolve', async () => {
    const [firing, resolved] = await fireAndResolve((url) => ({
      kind: 'pagerduty',
      name: 'oncall',
      settings: { routingKey: KEY, url },
    }));
    expect(firing!.body).toMatchObject({
      routing_key: KEY,
      event_action: 'trigger',
      payload: {
        summary: '[CRITICAL] Slow answers: Flaky shop (shopify)',
        severity: 'critical',
        source: 'int_shop',
        component: 'Slow answers',
        timestamp: '2023-11-14T22:13:20.000Z',
        custom_details: { integrations: [{ id: 'int_shop', name: 'Flaky shop', platform: 'shopify' }] },
      },
      links: [{ href: 'https://wiki.example.com/slow' }],
    });
    expect(resolved!.body).toMatchObject({ event_action: 'resolve', dedup_key: firing!.body.dedup_key });
  });

  it('Discord, mentioning nobody', async () => {
    const [firing] = await fireAndResolve((url) => ({ kind: 'discord', name: 'chat', settings: { url } }));
    expect(firing!.path).toBe('/?wait=true');
    expect(firing!.body.allowed_mentions).toEqual({ parse: [] });
    expect(firing!.body.embeds[0]).toMatchObject({
      title: '[CRITICAL] Slow answers: Flaky shop (shopify)',
      color: 0xb71c1c,
    });
    expect(firing!.body.embeds[0].description).toContain('Value: 8123');
  });

  it('Microsoft Teams, as an Adaptive Card', async () => {
    const [firing] = await fireAndResolve((url) => ({ kind: 'teams', name: 'chat', settings: { url } }));
    const { contentType, content } = firing!.body.attachments[0];
    expect(contentType).toBe('application/vnd.microsoft.card.adaptive');
    expect(content.body.find((part: { type: string }) => part.type === 'FactSet').facts).toContainEqual({
      title: 'Value',
      value: '8123',
    });
    expect(content.actions.map((action: { title: string }) => action.title)).toEqual(['Open', 'Runbook']);
  });

  it('e-mail, to every address, in one conversation', async () => {
    const mails: string[] = [];
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onData(stream, _session, callback) {
        let text = '';
        stream.on('data', (chunk) => {
          text += chunk;
        });
        stream.on('end', () => {
          mails.push(text);
          callback();
        });
      },
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    const { port } = server.server.address() as { port: number };
    const notifications = await openNotifications({
      mail: { url: `smtp://127.0.0.1:${port}`, from: 'alerts@example.com' },
    });
    const { service, clock } = notifications;
    await insertIntegration(database.current, 'int_shop', 'Flaky shop', 'shopify');
    await service.channels.add({ kind: 'email', name: 'mail', settings: { to: ['a@example.com', 'b@example.com'] } });
    await writeChange(database.current, { ...ALERT, to: 'firing', atMs: clock.now() });
    await passTime(database.current, notifications, clock.now() + 60_000);
    expect(mails).toHaveLength(2);
    const [first] = mails;
    expect(first).toContain('Subject: [CRITICAL] Slow answers: Flaky shop (shopify)');
    expect(first).toMatch(/^Message-ID: <ntf_\w+\.[01]@integration-services>/m);
    expect(first).toMatch(/^References: <agr_\w+@integration-services>/m);
    expect(first).toContain('Value: 8123');
  });
});

describe('signed webhooks', () => {
  it('carry a signature as Standard Webhooks has it', () => {
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const channel: OpenChannel = {
      id: 'nch_1',
      name: 'hook',
      kind: 'webhook',
      settings: {},
      secrets: { url: 'https://example.com/', secret },
    };
    const message = testMessage('hook', 'https://integrations.example.com', 1_614_265_330_000);
    const post = webhookPost(channel, { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', message }, 1_614_265_330_999);
    const signed = `msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.${post.body}`;
    const key = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
    expect(post.headers).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': `v1,${createHmac('sha256', key).update(signed).digest('base64')}`,
    });
  });

  it('are signed with the former secret too, for a day after a change', async () => {
    const { service, clock } = await openNotifications();
    const receiver = await startReceiver();
    const { channel, secret } = await service.channels.add({
      kind: 'webhook',
      name: 'h',
      settings: { url: receiver.url },
    });
    expect(secret).toMatch(/^whsec_/);
    const next = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    await service.channels.update(channel.id, { settings: { url: receiver.url, secret: next } });
    await service.channels.test(channel.id);
    await clock.advance(25 * 3_600_000);
    await service.channels.test(channel.id);
    const [both, one] = receiver.received;
    const verified = ({ headers, text }: Received, by: string) => {
      const key = Buffer.from(by.slice(6), 'base64');
      const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`;
      const expected = `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
      return String(headers['webhook-signature']).split(' ').includes(expected);
    };
    expect([verified(both!, secret!), verified(both!, next)]).toEqual([true, true]);
    expect([verified(one!, secret!), verified(one!, next)]).toEqual([false, true]);
  });
});

describe('secrets and addresses', () => {
  it('are sealed, and neither given back nor repeated from what a receiver says', async () => {
    const { service } = await openNotifications();
    const receiver = await startReceiver();
    const path = '/services/T12345678/B12345678/abcdefghijklmnop';
    const { channel } = await service.channels.add({
      kind: 'slack',
      name: 's',
      settings: { url: receiver.url + path },
    });
    receiver.answers.push({ status: 403, text: `no service at ${path} for abcdefghijklmnop` });
    const result = await service.channels.test(channel.id);
    expect(result).toMatchObject({ ok: false, status: 403 });
    expect(result.detail).not.toContain('abcdefghijklmnop');
    const { rows } = await sql<{ row: string }>`
      select notification_channels::text as row from notification_channels`.execute(database.current.db);
    expect(rows[0]!.row).not.toContain('abcdefghijklmnop');
    expect(JSON.stringify(await service.channels.list())).not.toContain('abcdefghijklmnop');
    expect((await service.channels.get(channel.id)).settings).toEqual({ origin: receiver.url });
  });

  it('are not called when they are private', async () => {
    const { service } = await openNotifications({ allowedPrivateHosts: [] });
    for (const host of ['127.0.0.1', '10.0.0.1', '169.254.169.254', '[::1]', 'localhost']) {
      const { channel } = await service.channels.add({
        kind: 'teams',
        name: host,
        settings: { url: `http://${host}/` },
      });
      expect(await service.channels.test(channel.id), host).toMatchObject({
        ok: false,
        retryable: false,
        status: null,
        detail: expect.stringContaining('ALLOWED_PRIVATE_HOSTS'),
      });
    }
  });

  it('are refused when they make no sense, with every fault', async () => {
    const { service } = await openNotifications();
    const add = (input: unknown) => service.channels.add(input as ChannelInput);
    await expect(add({ kind: 'slack', name: '', settings: { url: 'ftp://x' } })).rejects.toThrow(
      /name.*settings\.url/s,
    );
    await expect(add({ kind: 'email', name: 'm', settings: { to: ['a@example.com'] } })).rejects.toThrow('SMTP_URL');
    await expect(add({ kind: 'pagerduty', name: 'm', settings: { routingKey: 'short' } })).rejects.toThrow(
      'routingKey',
    );
    await add({ kind: 'slack', name: 'same', settings: { url: 'https://example.com' } });
    await expect(add({ kind: 'teams', name: 'same', settings: { url: 'https://example.com' } })).rejects.toMatchObject({
      code: 'NOTIFICATION_CHANNEL_NAME_TAKEN',
    });
  });
});

describe('"send test"', () => {
  it('leaves no incident open at PagerDuty', async () => {
    const { service } = await openNotifications();
    const receiver = await startReceiver();
    const { channel } = await service.channels.add({
      kind: 'pagerduty',
      name: 'oncall',
      settings: { routingKey: KEY, url: receiver.url },
    });
    expect(await service.channels.test(channel.id)).toMatchObject({ ok: true });
    const [trigger, resolve] = receiver.received;
    expect([trigger!.body.event_action, resolve!.body.event_action]).toEqual(['trigger', 'resolve']);
    expect(resolve!.body.dedup_key).toBe(trigger!.body.dedup_key);

    receiver.answers.push({ status: 400 });
    expect(await service.channels.test(channel.id)).toMatchObject({ ok: false, status: 400 });
    expect(receiver.received).toHaveLength(3);

    receiver.answers.push({ status: 202 }, { status: 500 });
    expect(await service.channels.test(channel.id)).toMatchObject({
      ok: false,
      detail: expect.stringContaining('not that it is resolved'),
    });
  });

  it('tells what really came of it', async () => {
    const { service } = await openNotifications();
    const receiver = await startReceiver();
    const { channel } = await service.channels.add({ kind: 'webhook', name: 'hook', settings: { url: receiver.url } });
    expect(await service.channels.test(channel.id)).toMatchObject({ ok: true, status: 200 });
    expect(receiver.received[0]!.body).toMatchObject({ type: 'alert.test', data: { reason: 'test' } });
    expect(await service.channels.get(channel.id)).toMatchObject({ testOk: true });
    receiver.answers.push({ status: 500 });
    expect(await service.channels.test(channel.id)).toMatchObject({ ok: false, status: 500 });
    expect(await service.channels.get(channel.id)).toMatchObject({ testOk: false });
  });
});
