import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeChange } from '../monitoring/notifications/support/notifications.ts';
import { useReceivers } from '../monitoring/notifications/support/receiver.ts';
import { useTestDatabase } from '../support/database.ts';
import { openTestServer, type TestServer } from './testServer.ts';

const database = useTestDatabase();
const startReceiver = useReceivers();
const ALERTS = '/api/v1/alerts';
let server: TestServer;

beforeAll(async () => {
  server = await openTestServer(database.url, { workers: false });
});
afterAll(() => server?.close());

it('adds, reads, tests, changes and deletes channels, and shows a secret once', async () => {
  const receiver = await startReceiver();
  expect((await server.request('GET', `${ALERTS}/status`)).json.warning).toContain('no notification channel');
  const made = await server.request('POST', `${ALERTS}/channels`, {
    body: { kind: 'webhook', name: 'hook', settings: { url: `${receiver.url}/very-secret-path` } },
  });
  expect(made).toMatchObject({ status: 201, json: { kind: 'webhook', secret: expect.stringMatching(/^whsec_/) } });
  const path = made.headers.get('location')!;
  const read = await server.request('GET', path);
  expect(read.json).toMatchObject({ name: 'hook', settings: { origin: receiver.url } });
  expect(JSON.stringify(read.json)).not.toMatch(/very-secret-path|whsec/);
  expect((await server.request('POST', `${path}/test`)).json).toMatchObject({ ok: true, status: 200 });
  expect(receiver.received).toHaveLength(1);
  expect((await server.request('PATCH', path, { body: { active: false } })).json).toMatchObject({ active: false });
  expect((await server.request('GET', `${ALERTS}/channels`)).json.data).toHaveLength(1);
  expect((await server.request('DELETE', path)).status).toBe(204);
  expect(await server.request('GET', path)).toMatchObject({
    status: 404,
    json: { code: 'NOTIFICATION_CHANNEL_NOT_FOUND' },
  });
  await server.app.audit.flush();
  const actions = (await server.app.audit.list({}, 50)).map(({ action }) => action);
  expect(actions).toEqual(
    expect.arrayContaining([
      'notificationChannel.added',
      'notificationChannel.tested',
      'notificationChannel.updated',
      'notificationChannel.deleted',
    ]),
  );
});

it('says what is wrong with a channel', async () => {
  const add = (kind: string, settings: object) =>
    server.request('POST', `${ALERTS}/channels`, { body: { kind, name: 'wrong', settings } });
  for (const url of ['nourl', '', 'ftp://example.com', 'https://user:word@example.com'])
    expect(await add('slack', { url })).toMatchObject({
      status: 400,
      json: { errors: [{ pointer: '/settings/url' }] },
    });
  expect((await add('pigeon', {})).json.detail).toContain('kind: takes one of "webhook", "slack", "discord"');
});

it('says what is wrong with a pattern, in the words that were sent', async () => {
  const body = { matchers: [{ label: 'a', op: '=~', value: '(' }], comment: 'x', endsAt: 'tomorrow' };
  const { errors } = (await server.request('POST', `${ALERTS}/silences`, { body })).json;
  expect(errors).toEqual([
    {
      pointer: '/matchers/0/value',
      detail:
        'takes a pattern. This one is not a regular expression: missing closing ): `(`. Got a text of 1 character.',
    },
    {
      pointer: '/endsAt',
      detail: 'takes a time such as 2026-01-31T12:00:00Z. Got a text of 8 characters.',
    },
  ]);
});

it('takes policies, silences, windows, inhibition and acknowledgements, and shows what they do to an alert', async () => {
  const policy = await server.request('POST', `${ALERTS}/policies`, { body: { name: 'mine', groupBy: ['...'] } });
  expect(policy).toMatchObject({ status: 201, json: { continue: false, channels: null, groupWaitMs: 30_000 } });
  const unknown = await server.request('PATCH', `${ALERTS}/policies/${policy.json.id}`, {
    body: { channels: ['nch_x'] },
  });
  expect(unknown).toMatchObject({ status: 400, json: { errors: [{ pointer: '/channels/0' }] } });
  expect((await server.request('DELETE', `${ALERTS}/policies/apo_default`)).json.code).toBe(
    'NOTIFICATION_POLICY_DEFAULT',
  );
  expect((await server.request('DELETE', `${ALERTS}/policies/${policy.json.id}`)).status).toBe(204);

  await writeChange(database.current, { alert: 'a', to: 'firing', labels: { team: 'shop' }, atMs: Date.now() });
  await server.app.notifications.runOnce();
  const matchers = [{ label: 'team', op: '=', value: 'shop' }];
  const endless = await server.request('POST', `${ALERTS}/silences`, { body: { matchers, comment: 'x' } });
  expect(endless).toMatchObject({ status: 400, json: { errors: [{ pointer: '/endsAt' }] } });
  const endsAt = new Date(Date.now() + 3_600_000).toISOString();
  const silence = await server.request('POST', `${ALERTS}/silences`, { body: { matchers, comment: 'x', endsAt } });
  expect(silence).toMatchObject({ status: 201, json: { state: 'active', author: expect.any(String) } });
  const window = await server.request('POST', `${ALERTS}/maintenance-windows`, {
    body: { name: 'always', matchers, comment: 'x', times: { cron: '* * * * *', durationMs: 3_600_000 } },
  });
  expect(window).toMatchObject({ status: 201, json: { open: true } });
  const alert = { ruleId: 'rule_a', fingerprint: '0000000000000001' };
  const acknowledged = await server.request('POST', `${ALERTS}/acknowledge`, {
    body: { alerts: [alert], comment: 'on it' },
  });
  expect(acknowledged.status).toBe(204);
  const active = await server.request('GET', `${ALERTS}/active`);
  expect(active.json.data).toMatchObject([
    {
      ...alert,
      silencedBy: [silence.json.id],
      maintenance: [window.json.id],
      inhibitedBy: null,
      acknowledgement: { comment: 'on it' },
    },
  ]);
  expect((await server.request('DELETE', `${ALERTS}/silences/${silence.json.id}`)).json.state).toBe('expired');
  expect((await server.request('DELETE', `${ALERTS}/silences/${silence.json.id}`)).status).toBe(409);
  expect((await server.request('DELETE', `${ALERTS}/maintenance-windows/${window.json.id}`)).status).toBe(204);
  expect((await server.request('POST', `${ALERTS}/unacknowledge`, { body: { alerts: [alert] } })).status).toBe(204);
  const inhibitions = await server.request('GET', `${ALERTS}/inhibitions`);
  expect(inhibitions.json.data).toHaveLength(5);
  const missing = await server.request('POST', `${ALERTS}/acknowledge`, {
    body: { alerts: [{ ruleId: 'rule_b', fingerprint: '0' }], comment: 'x' },
  });
  expect(missing).toMatchObject({ status: 409, json: { code: 'ALERT_NOT_ACTIVE' } });
  expect((await server.request('GET', `${ALERTS}/notifications?limit=1`)).json).toEqual({ data: [], nextCursor: null });
});
