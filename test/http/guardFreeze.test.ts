import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVERYTHING } from '../access/support/people.ts';
import { useTestDatabase } from '../support/database.ts';
import { describeProvider, type Provider, startProvider } from '../support/provider.ts';
import { type GuardServer, openGuardServer } from './guardServer.ts';

const database = useTestDatabase();
let replicas: [GuardServer, GuardServer];
let provider: Provider;
let integrationId: string;

beforeAll(async () => {
  provider = await startProvider(5);
  replicas = [await openGuardServer(database.url), await openGuardServer(database.url)];
  const created = await replicas[0].request('POST', '/api/v1/integrations', {
    body: { name: 'x', platform: 'http', configuration: { connector: describeProvider(provider) } },
  });
  integrationId = created.json.id;
});
afterAll(async () => {
  for (const server of replicas ?? []) await server.close();
  await provider?.close();
});

async function addUser(role = 'viewer') {
  const user = await replicas[0].addUser(role);
  for (const { rules } of replicas) rules.allow(user.id, EVERYTHING);
  return user;
}

/** A request that goes on for a minute: nobody works on the run that it waits for. */
function wait(server: GuardServer, key: string): { ended: Promise<string>; begun: Promise<void> } {
  const before = server.app.access.checks.running.size;
  const ended = fetch(`${server.url}/api/v1/integrations/${integrationId}/sync?wait=true`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
  }).then(
    (response) => `answered ${response.status}`,
    () => 'cut off',
  );
  const begun = (async () => {
    while (server.app.access.checks.running.size === before) await new Promise((resolve) => setTimeout(resolve, 10));
  })();
  return { ended, begun };
}

describe('freezing a user', () => {
  it('cuts off what runs for them on every replica, and lets nothing begin, until it is undone', async () => {
    const [here, there] = replicas;
    const admin = await addUser('admin');
    const user = await addUser();
    const bystander = await addUser();
    const cut = [wait(here, user.key), wait(there, user.key)];
    const kept = wait(there, bystander.key);
    await Promise.all([...cut, kept].map(({ begun }) => begun));
    const frozen = await here.request('POST', `/api/v1/users/${user.id}/freeze`, {
      key: admin.key,
      body: { reason: 'phished' },
    });
    expect(frozen.status, frozen.text).toBe(204);
    expect(await Promise.all(cut.map(({ ended }) => ended))).toEqual(['cut off', 'cut off']);
    for (const server of replicas) {
      const answer = await server.request('GET', '/api/v1/integrations', { key: user.key });
      expect(answer).toMatchObject({ status: 401, json: { detail: expect.stringContaining('is frozen') } });
    }
    const still = await Promise.race([kept.ended, new Promise((resolve) => setTimeout(resolve, 300, 'still waiting'))]);
    expect(still).toBe('still waiting');
    expect((await here.request('DELETE', `/api/v1/users/${user.id}/freeze`, { key: admin.key })).status).toBe(204);
    for (const server of replicas) {
      // Within the half second in which the version is read.
      let { status } = await server.request('GET', '/api/v1/integrations', { key: user.key });
      for (let attempt = 0; status !== 200 && attempt < 100; attempt++) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        ({ status } = await server.request('GET', '/api/v1/integrations', { key: user.key }));
      }
      expect(status).toBe(200);
    }
    expect(here.audit.actions()).toEqual(expect.arrayContaining(['user.frozen', 'user.unfrozen']));
    await there.request('POST', `/api/v1/integrations/${integrationId}/sync/stop`);
    expect(await kept.ended).toBe('answered 200');
  });

  it('takes the permission, a reason, and somebody below oneself', async () => {
    const [server] = replicas;
    const user = await addUser();
    const admin = await addUser('admin');
    const owner = await addUser('owner');
    server.rules.allow(user.id, ['integrations:read']);
    const freeze = (id: string, key: string, body: unknown = { reason: 'x' }) =>
      server.request('POST', `/api/v1/users/${id}/freeze`, { key, body });
    expect((await freeze(admin.id, user.key)).json.code).toBe('ACCESS_DENIED');
    expect((await freeze(owner.id, admin.key)).json.code).toBe('ACCESS_DENIED');
    expect((await freeze(user.id, admin.key, {})).status).toBe(400);
    expect((await freeze('usr_unknown', admin.key)).json.code).toBe('USER_NOT_FOUND');
    expect((await freeze(owner.id, owner.key)).json.code).toBe('LAST_OWNER');
    expect((await freeze(owner.id, server.app.secrets.apiKey)).json.code).toBe('LAST_OWNER');
  });
});

describe('freezing a key', () => {
  it('cuts off that key alone', async () => {
    const [here, there] = replicas;
    const admin = await addUser('admin');
    const user = await addUser();
    const second = (await here.request('POST', '/api/v1/me/api-keys', { key: user.key, body: { name: 'second' } }))
      .json;
    const cut = wait(there, second.key);
    await cut.begun;
    expect(
      (
        await here.request('POST', `/api/v1/api-keys/${second.id}/freeze`, {
          key: admin.key,
          body: { reason: 'leaked' },
        })
      ).status,
    ).toBe(204);
    expect(await cut.ended).toBe('cut off');
    expect((await there.request('GET', '/api/v1/integrations', { key: user.key })).status).toBe(200);
    expect(
      (await here.request('GET', `/api/v1/api-keys?userId=${user.id}`, { key: admin.key })).json.data[1],
    ).toMatchObject({
      status: 'frozen',
      frozenReason: 'leaked',
    });
  });
});
