import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openTestServer, type TestServer } from '../http/testServer.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { addMember, type Member } from './support/members.ts';

const database = useTestDatabase();
/** Where changes are made, and where they have to count: two processes on one database, as far as they know. */
let here: TestServer;
let there: TestServer;
let admin: Member;
let user: Member;
/** One of each platform, owned by nobody in particular. */
let github: string;
let slack: string;

/** A second is promised. A machine that is busy with other suites gets more, and no more than this. */
const BOUND_MS = 10_000;

beforeAll(async () => {
  here = await openTestServer(database.url, { workers: false });
  there = await openTestServer(database.url, { workers: false });
  admin = await addMember(here.app, 'owner');
  github = (await here.app.catalog.create({ name: 'Code', platform: 'github' })).id;
  slack = (await here.app.catalog.create({ name: 'Chat', platform: 'slack' })).id;
});
afterAll(async () => {
  await there?.close();
  await here?.close();
});
beforeEach(async () => {
  user = await addMember(here.app, 'viewer');
});

/** A change made by the owner through the one process. */
async function change(method: string, path: string, body?: unknown, status = 204) {
  const answer = await here.request(method, `/api/v1${path}`, { key: admin.key, body });
  expect(answer.status, `${method} ${path}: ${answer.text}`).toBe(status);
  return answer.json;
}

/** What the other process answers to the user: the status of a request, and the list of what they see. */
async function answers(headers: Record<string, string> = user.asKey) {
  const get = async (path: string) => {
    const { status, json } = await there.request('GET', `/api/v1${path}`, { key: null, headers });
    // What credentials that open nothing are answered after the thirtieth in a minute; right ones never are.
    return { status: json?.code === 'TOO_MANY_FAILED_ATTEMPTS' ? 401 : status, json };
  };
  const [one, list] = [await get(`/integrations/${github}`), await get('/integrations')];
  const seen = list.status === 200 ? list.json.data.map(({ id }: { id: string }) => id) : list.status;
  return { one: one.status, list: seen };
}

async function becomes(right: Awaited<ReturnType<typeof answers>>, headers?: Record<string, string>): Promise<void> {
  let last: unknown;
  await eventually(
    `the other process to answer ${JSON.stringify(right)}`,
    async () => {
      last = await answers(headers);
      return JSON.stringify(last) === JSON.stringify(right);
    },
    BOUND_MS,
  ).catch((error: unknown) => {
    throw new Error(`It answers ${JSON.stringify(last)}.`, { cause: error });
  });
}

const everything = () => ({ one: 200, list: [github, slack] });
const nothing = { one: 404, list: 403 };
const nobody = { one: 401, list: 401 };

describe('on every replica counts', () => {
  it('another role, and what a custom one gives from now on', async () => {
    await becomes(everything());
    await change('PUT', `/users/${user.id}/role`, { role: 'developer' });
    await becomes({ one: 404, list: [] });
    const permissions = [{ permission: 'records:read', reach: 'all' }];
    await change('POST', '/roles', { name: 'support', permissions }, 201);
    await change('PUT', `/users/${user.id}/role`, { role: 'support' });
    await becomes(nothing);
    const more = [...permissions, { permission: 'integrations:read', reach: 'all' }];
    await change('PATCH', '/roles/support', { permissions: more }, 200);
    await becomes(everything());
  });

  it('a grant, a deny, and that they end by being removed or by their time', async () => {
    await change('PUT', `/users/${user.id}/role`, { role: 'auditor' });
    const add = async (effect: string, platform: string, more: object = {}) => {
      const scope = { kind: 'platform', value: platform };
      const body = { effect, permissions: ['integrations:*'], scope, reason: 'why', ...more };
      return (await change('POST', `/users/${user.id}/grants`, body, 201)).id as string;
    };
    await becomes(everything());
    const deny = await add('deny', 'github');
    await becomes({ one: 404, list: [slack] });
    await change('DELETE', `/grants/${deny}`);
    await becomes(everything());
    await change('POST', '/roles', { name: 'nothing', permissions: [] }, 201);
    await change('PUT', `/users/${user.id}/role`, { role: 'nothing' });
    await becomes(nothing);
    const grant = await add('allow', 'github');
    await becomes({ one: 200, list: [github] });
    await change('DELETE', `/grants/${grant}`);
    await becomes(nothing);
    await add('allow', 'github', { expiresAt: new Date(Date.now() + 4_000).toISOString() });
    await becomes({ one: 200, list: [github] });
    await becomes(nothing);
  });

  it('that a key is revoked, frozen or limited by what its user lost', async () => {
    await becomes(everything());
    await change('POST', `/api-keys/${user.apiKeyId}/freeze`, { reason: 'found in a chat' });
    await becomes(nobody);
    await change('DELETE', `/api-keys/${user.apiKeyId}/freeze`);
    await becomes(everything());
    await change('DELETE', `/api-keys/${user.apiKeyId}`);
    await becomes(nobody);
  });

  it('that a user is frozen: their keys until it is undone, their sessions for good', async () => {
    const { headers } = await user.begin();
    await becomes(everything(), headers);
    await change('POST', `/users/${user.id}/freeze`, { reason: 'the laptop was stolen' });
    // Where it was done it counts before it is acknowledged.
    const own = await here.request('GET', '/api/v1/auth/session', { key: null, headers });
    expect(own.status).toBe(401);
    await becomes(nobody, headers);
    await becomes(nobody);
    await change('DELETE', `/users/${user.id}/freeze`);
    await becomes(everything());
    expect(await answers(headers)).toEqual(nobody);
    await change('POST', `/users/${user.id}/deactivate`, undefined, 200);
    await becomes(nobody);
  });

  it('that a session was ended, and that the others were not', async () => {
    const [one, two] = [await user.begin(), await user.begin()];
    for (const { headers } of [one, two]) await becomes(everything(), headers);
    const ended = await here.request('DELETE', `/api/v1/auth/sessions/${one.sessionId}`, {
      key: null,
      headers: { ...two.headers },
    });
    expect(ended.status, ended.text).toBe(204);
    await becomes(nobody, one.headers);
    expect(await answers(two.headers)).toEqual(everything());
  });

  it('what is made and deleted, in lists too', async () => {
    await becomes(everything());
    const made = (await here.app.catalog.create({ name: 'More code', platform: 'github' })).id;
    await becomes({ one: 200, list: [github, slack, made] });
    await change('DELETE', `/integrations/${made}`);
    await becomes(everything());
  });
});
