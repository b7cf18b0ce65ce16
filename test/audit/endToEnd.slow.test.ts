import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { actAs } from '../../src/audit/acting.ts';
import type { StoredEntry } from '../../src/audit/storedEntry.ts';
import { rotateInstallationKey } from '../../src/credentials/rotation.ts';
import { openTestServer, type TestServer } from '../http/testServer.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { describeProvider, type Provider, startProvider } from '../support/provider.ts';

const database = useTestDatabase();
let server: TestServer;
let provider: Provider;

/** Everything that opens something. None of it may be in the log, nor in its files. */
const secrets = new Set<string>();
const secret = <T extends string>(text: T): T => {
  secrets.add(text);
  return text;
};

const PASSWORD = secret('tortoise umbrella granite 47');
const OTHER_PASSWORD = secret('seven quiet lanterns drift 9');
const WRONG_PASSWORD = secret('this-was-never-the-password');
const OWNER = { email: 'owner@example.com', name: 'Olivia Owner' };
const USER_AGENT = 'end-to-end/1';

beforeAll(async () => {
  provider = await startProvider(3);
  server = await openTestServer(database.url);
});
afterAll(async () => {
  await server?.close();
  await provider?.close();
});

/** Somebody at a browser, or a program with a key. */
interface Caller {
  headers: Record<string, string>;
}

/** What a request is expected to leave in the log, in this order. */
interface Expected {
  readonly requestId: string;
  readonly actions: readonly string[];
  readonly actor: { kind: string; id?: string };
}

const expected: Expected[] = [];

/** One request of the scenario, under an id of its own, and what it has to leave in the log. */
async function step(
  actor: Expected['actor'],
  caller: Caller,
  [method, path, body]: readonly [method: string, path: string, body?: unknown],
  status: number,
  ...actions: string[]
) {
  const requestId = `step-${String(expected.length + 1).padStart(3, '0')}`;
  const answer = await server.request(method, `/api/v1${path}`, {
    key: null,
    body,
    headers: { 'user-agent': USER_AGENT, 'request-id': requestId, ...caller.headers },
  });
  expect(answer.status, `${method} ${path}: ${answer.text}`).toBe(status);
  expected.push({ requestId, actions, actor });
  // A session that begins is one to go on with.
  const cookie = answer.headers.get('set-cookie')?.split(';')[0];
  if (cookie !== undefined && answer.json?.csrfToken !== undefined) {
    secret(cookie.split('=')[1]!);
    caller.headers = { cookie, 'x-csrf-token': secret(answer.json.csrfToken) };
  }
  return answer;
}

const keyCaller = (key: string): Caller => ({ headers: { authorization: `Bearer ${secret(key)}` } });
const anonymous = { kind: 'anonymous' };
let ownerId: string;
let integrationId: string;

async function scenario(): Promise<void> {
  const { app } = server;
  const owner: Caller = { headers: {} };
  const guest: Caller = { headers: {} };

  // People.
  const link = await app.access.accounts.setup.ensureSetupLink(server.url);
  const token = secret(link!.split('#')[1]!);
  const setup = { ...OWNER, password: PASSWORD, token };
  const made = await step(
    { kind: 'user' },
    owner,
    ['POST', '/auth/setup', setup],
    201,
    'user.created',
    'login.succeeded',
  );
  ownerId = made.json.user.id;
  const asOwner = { kind: 'user', id: ownerId };
  const login = (password: string, email = OWNER.email) => ['POST', '/auth/login', { email, password }] as const;
  await step(anonymous, { headers: {} }, login(WRONG_PASSWORD), 401, 'login.failed');
  await step(anonymous, { headers: {} }, login(WRONG_PASSWORD, 'nobody@example.com'), 401, 'login.failed');
  await step(asOwner, owner, login(PASSWORD), 200, 'login.succeeded');
  const invite = ['POST', '/auth/invitations', { email: 'guest@example.com', role: 'viewer' }] as const;
  const invited = await step(asOwner, owner, invite, 201, 'invitation.created');
  const accept = { token: secret(invited.json.link.split('#')[1]), name: 'Gina Guest', password: OTHER_PASSWORD };
  const accepted = await step(
    { kind: 'user' },
    guest,
    ['POST', '/auth/invitations/accept', accept],
    201,
    'user.created',
    'login.succeeded',
  );
  const guestId: string = accepted.json.user.id;
  const asGuest = { kind: 'user', id: guestId };

  // Integrations.
  const created = await step(
    asOwner,
    owner,
    [
      'POST',
      '/integrations',
      {
        name: 'A provider',
        platform: 'http',
        credentials: { apiKey: secret(provider.key) },
        configuration: { connector: describeProvider(provider) },
      },
    ],
    201,
    'integration.created',
    'credential.stored',
  );
  integrationId = created.json.id;
  const path = `/integrations/${integrationId}`;
  await step(asOwner, owner, ['PATCH', path, { name: 'Renamed' }], 200, 'integration.updated');
  await step(
    asOwner,
    owner,
    ['PATCH', path, { credentials: { apiKey: secret('a-wrong-provider-key') } }],
    200,
    'integration.updated',
    'credential.stored',
  );
  await step(asOwner, owner, ['POST', `${path}/test`], 200, 'credential.released');
  await step(
    asOwner,
    owner,
    ['PATCH', path, { credentials: { apiKey: provider.key } }],
    200,
    'integration.updated',
    'credential.stored',
  );
  await step(asOwner, owner, ['POST', `${path}/connect`], 200, 'credential.released', 'integration.connected');
  const synced = await step(asOwner, owner, ['POST', `${path}/sync?wait=true`], 200, 'sync.requested');
  expect(synced.json.success).toBe(true);
  await step(asOwner, owner, ['POST', `${path}/sync/start`], 202, 'sync.scheduled', 'sync.requested');
  await step(asOwner, owner, ['POST', `${path}/sync/stop`], 204, 'sync.stopped');
  const records = await step(asOwner, owner, ['GET', `${path}/streams/items/export`], 200, 'records.exported');
  expect(records.text.trim().split('\n')).toHaveLength(3);

  // Webhooks.
  const address = (name: string) => `https://hooks.example.com/services/${secret(`webhook-path-${name}`)}`;
  const hooked = await step(
    asOwner,
    owner,
    ['POST', `${path}/webhooks`, { url: address('one'), events: ['*'] }],
    201,
    'webhook.added',
  );
  secret(hooked.json.secret);
  const signing = secret(`whsec_${'c2VjcmV0'.repeat(5)}`);
  const hook = `/webhooks/${hooked.json.id}`;
  await step(asOwner, owner, ['PATCH', hook, { url: address('two'), active: false }], 204, 'webhook.updated');
  await step(asOwner, owner, ['PATCH', hook, { secret: signing }], 204, 'webhook.updated');
  await step(asOwner, owner, ['DELETE', hook], 204, 'webhook.deleted');

  // Access.
  const role = { name: 'support', permissions: [{ permission: 'records:read', reach: 'all' }] };
  await step(asOwner, owner, ['POST', '/roles', role], 201, 'role.created');
  await step(asOwner, owner, ['PATCH', '/roles/support', { description: 'Helps' }], 200, 'role.updated');
  await step(asOwner, owner, ['PUT', `/users/${guestId}/role`, { role: 'support' }], 204, 'user.roleChanged');
  await step(asOwner, owner, ['PUT', `/users/${guestId}/role`, { role: 'operator' }], 204, 'user.roleChanged');
  await step(asOwner, owner, ['DELETE', '/roles/support'], 204, 'role.deleted');
  const grant = { effect: 'allow', permissions: ['records:export'], reason: 'moves house' };
  const granted = await step(asOwner, owner, ['POST', `/users/${guestId}/grants`, grant], 201, 'grant.added');
  await step(asOwner, owner, ['DELETE', `/grants/${granted.json.id}`], 204, 'grant.removed');
  const glass = { permissions: ['integrations:delete'], reason: 'the shop is on fire', durationSeconds: 60 };
  const asked = await step(asGuest, guest, ['POST', '/break-glass', glass], 201, 'breakGlass.requested');
  await step(asOwner, owner, ['POST', `/break-glass/${asked.json.id}/approve`], 200, 'breakGlass.approved');
  await step(asGuest, guest, ['POST', `/break-glass/${asked.json.id}/end`], 200, 'breakGlass.ended');
  await step(asOwner, owner, ['PATCH', `/users/${guestId}`, { name: 'Gina G.' }], 200, 'user.updated');

  // API keys.
  const first = await step(asOwner, owner, ['POST', '/me/api-keys', { name: 'Nightly' }], 201, 'apiKey.created');
  const program = keyCaller(first.json.key);
  const asKey = { kind: 'apiKey', id: first.json.id };
  const rotated = await step(asKey, program, ['POST', `/me/api-keys/${first.json.id}/rotate`], 201, 'apiKey.rotated');
  secret(rotated.json.key);
  await step(asOwner, owner, ['DELETE', `/me/api-keys/${rotated.json.id}`], 204, 'apiKey.revoked');
  const reason = { reason: 'found in a chat' };
  await step(asOwner, owner, ['POST', `/api-keys/${first.json.id}/freeze`, reason], 204, 'apiKey.frozen');
  await step(anonymous, program, ['GET', '/integrations'], 401, 'access.denied');
  await step(asOwner, owner, ['DELETE', `/api-keys/${first.json.id}/freeze`], 204, 'apiKey.unfrozen');

  // Refusals: by the guard, by what is not seen, by a service, and of a page of another site.
  await step(asGuest, guest, ['DELETE', path], 403, 'access.denied');
  await step(asGuest, guest, ['GET', '/integrations/int_00000000000000000000000000'], 404, 'access.denied');
  const above = ['PUT', `/users/${guestId}/role`, { role: 'owner' }] as const;
  await step(asGuest, guest, above, 403, 'access.denied');
  const admin = ['PUT', `/users/${guestId}/role`, { role: 'admin' }] as const;
  await step(asOwner, owner, admin, 204, 'user.roleChanged');
  await step(asGuest, guest, above, 403, 'access.denied');
  await step(asGuest, guest, ['POST', `/users/${ownerId}/freeze`, reason], 403, 'access.denied');
  await step(asGuest, guest, ['POST', `/users/${ownerId}/deactivate`], 403, 'access.denied');
  const { cookie } = owner.headers as { cookie: string };
  await step(anonymous, { headers: { cookie } }, ['DELETE', '/auth/sessions'], 403, 'access.denied');
  const foreign = { ...owner.headers, origin: 'https://evil.example' };
  await step(anonymous, { headers: foreign }, ['POST', '/auth/logout'], 403, 'access.denied');

  // Freezing a user, platforms, the log itself, and the end.
  await step(asOwner, owner, ['POST', `/users/${guestId}/freeze`, reason], 204, 'user.frozen');
  await step(anonymous, guest, ['GET', '/connectors'], 401, 'access.denied');
  await step(asOwner, owner, ['DELETE', `/users/${guestId}/freeze`], 204, 'user.unfrozen');
  await step(asOwner, owner, ['POST', `/users/${guestId}/deactivate`], 200, 'user.deactivated');
  await step(asOwner, owner, ['POST', `/users/${guestId}/reactivate`], 200, 'user.reactivated');
  await step(asOwner, owner, ['PUT', '/connectors/acme', { source: CONNECTOR }], 200, 'connector.saved');
  await step(asOwner, owner, ['DELETE', '/connectors/acme'], 204, 'connector.removed');
  await step(asOwner, owner, ['GET', '/audit/export?actor=usr_x'], 200, 'audit.exported');
  await actAs({ actor: { kind: 'installation', id: 'command line' } }, () =>
    rotateInstallationKey(app.database, app.keys, { audit: app.audit }),
  );
  await step(asOwner, owner, ['POST', `${path}/disconnect`], 200, 'integration.disconnected');
  await step(asOwner, owner, ['DELETE', path], 204, 'integration.deleted', 'credential.released');
  const next = secret('nine patient heralds whistle 3');
  await step(
    asOwner,
    owner,
    ['POST', '/auth/password', { presentPassword: WRONG_PASSWORD, password: next }],
    403,
    'password.checkFailed',
  );
  const change = { presentPassword: PASSWORD, password: next };
  await step(asOwner, owner, ['POST', '/auth/password', change], 204, 'password.changed');
  await step(asOwner, owner, ['POST', '/auth/logout'], 204, 'session.loggedOut');
}

const CONNECTOR = `platform: acme
title: Acme
category: other
docsUrl: https://example.com/docs
apiVersion: v1
baseUrl: https://example.com
auth: [{ name: key, title: Key, type: bearer, token: '{{ credentials.key }}', fields: [{ name: key, title: Key }] }]
check: { path: /me }
streams: [{ name: items, title: Items, path: /items, primaryKey: id }]
`;

async function readLog(): Promise<StoredEntry[]> {
  const { audit } = server.app;
  await audit.flush();
  const entries: StoredEntry[] = [];
  for (let before: { occurredAt: Date; seq: number } | null = null; ; ) {
    const page: StoredEntry[] = await audit.list({}, 100, before);
    entries.push(...page);
    const last = page.at(-1);
    if (page.length < 100 || last === undefined) return entries.reverse();
    before = { occurredAt: new Date(last.time), seq: last.seq };
  }
}

it('everything that a day brings is in the log: who, from where, what, in order, and no secret', async () => {
  await scenario();
  const entries = await readLog();

  // What each request left, no more and no less.
  const left = expected.map(({ requestId }) => entries.filter(({ origin }) => origin?.requestId === requestId));
  expect(left.map((events, at) => [expected[at]!.requestId, events.map(({ action }) => action)])).toEqual(
    expected.map(({ requestId, actions }) => [requestId, actions]),
  );
  for (const [at, events] of left.entries()) {
    for (const event of events) {
      expect(event.actor, event.action).toMatchObject(expected[at]!.actor);
      expect(event.origin).toMatchObject({ address: '127.0.0.1', userAgent: USER_AGENT });
      const failed = /failed|denied/i.exec(event.action)?.[0];
      expect(event.outcome, event.action).toBe(
        failed === undefined ? 'success' : failed === 'denied' ? 'denied' : 'failure',
      );
    }
  }
  // Requests that came one after the other stand one after the other.
  const order = left.flat().map(({ seq }) => seq);
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index));

  const only = (action: string) => left.flat().filter((event) => event.action === action);
  expect(only('integration.created')[0]).toMatchObject({
    integrationId,
    target: { kind: 'integration', id: integrationId },
    after: { name: 'A provider', platform: 'http', owner: ownerId },
  });
  expect(only('integration.updated')[0]).toMatchObject({ before: { name: 'A provider' }, after: { name: 'Renamed' } });
  expect(only('credential.stored')[0]).toMatchObject({ details: { fields: ['apiKey'], origins: [provider.url] } });
  expect(only('webhook.updated').map(({ before, after, details }) => [before, after, details])).toEqual([
    [{ active: true }, { active: false }, { addressChanged: true, signingChanged: false }],
    [{}, {}, { addressChanged: false, signingChanged: true }],
  ]);
  expect(only('webhook.deleted')[0]!.before).toMatchObject({ origin: 'https://hooks.example.com', active: false });
  expect(only('user.roleChanged').map(({ before, after }) => [before, after])).toEqual([
    [{ role: 'viewer' }, { role: 'support' }],
    [{ role: 'support' }, { role: 'operator' }],
    [{ role: 'operator' }, { role: 'admin' }],
  ]);
  expect(only('user.frozen')[0]!.after).toEqual({ status: 'frozen', frozenReason: 'found in a chat' });
  expect(only('login.succeeded').map(({ details }) => details!.method)).toEqual([
    'setupLink',
    'password',
    'invitation',
  ]);
  expect(only('records.exported')[0]!.details).toEqual({ stream: 'items', format: 'ndjson', includeDeleted: false });
  expect(only('audit.exported')[0]!.details).toEqual({ format: 'jsonl', filter: { actor: 'usr_x' } });

  // What was done without a request, in the name of who did it.
  const others = entries.filter((event) => event.origin?.requestId === undefined);
  expect(others.filter(({ actor }) => actor.id === 'sync').map(({ action }) => action)).toContain(
    'credential.released',
  );
  expect(
    others.filter(({ actor }) => actor.id === 'command line').map(({ action, target }) => [action, target!.kind]),
  ).toEqual([
    ['installationKey.created', 'installationKey'],
    ['installationKey.removed', 'installationKey'],
  ]);
  for (const { action, actor } of others) expect(['sync', 'command line'], action).toContain(actor.id);
});

it('no stored byte of it holds a secret, and it verifies', async () => {
  const { app } = server;
  for (const one of Object.values(app.secrets)) secret(one);
  expect(secrets.size).toBeGreaterThan(20);
  const { rows } = await app.database.pool.query<{ event: Buffer }>(
    'select event from audit_entries union all select event from audit_pending',
  );
  const folder = join(app.config.dataDir, 'audit');
  await eventually('the kept files', () => readdirSync(folder).length > 0);
  const stored = [
    ...rows.map(({ event }) => event.toString()),
    ...readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1')),
  ];
  for (const one of secrets) {
    const forms = [one, encodeURIComponent(one), Buffer.from(one).toString('base64'), JSON.stringify(one).slice(1, -1)];
    for (const text of stored)
      for (const form of forms) expect(text.includes(form), `${one} is in ${text.slice(0, 300)}`).toBe(false);
  }
  await app.audit.flush();
  const verdict = await app.audit.verify();
  expect(verdict).toMatchObject({ finding: null });
  expect(verdict.entries).toBeGreaterThan(expected.length);
  expect(verdict.checkpoints).toBeGreaterThan(0);
});
