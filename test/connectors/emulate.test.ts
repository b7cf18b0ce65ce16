import { createEmulator, type Emulator } from 'emulate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkConnection } from '../../src/connectors/check.ts';
import { planRead } from '../../src/connectors/readStream.ts';
import type { ConnectorSession } from '../../src/connectors/types.ts';
import { keysOf, openSession, readPages, shippedConnector, throughDatabase } from './support/session.ts';

const signal = () => AbortSignal.timeout(10_000);
const onLoopback = (url: string): string => url.replace('localhost', '127.0.0.1');

describe('a GitHub-compatible server (emulate)', () => {
  const REPOSITORIES = 130;
  let github: Emulator;
  let session: ConnectorSession;

  beforeAll(async () => {
    github = await createEmulator({
      service: 'github',
      port: 0,
      seed: {
        tokens: { github_pat_octocat: { login: 'octocat', scopes: ['repo'] } },
        github: {
          users: [{ login: 'octocat' }],
          repos: Array.from({ length: REPOSITORIES }, (_, index) => ({ owner: 'octocat', name: `repo-${index}` })),
        },
      },
    });
    session = openSession(await shippedConnector('github'), {
      credentials: { token: 'github_pat_octocat' },
      connection: { apiBaseUrl: onLoopback(github.url) },
    });
  });
  afterAll(() => github.close());

  async function create(path: string, body: object): Promise<void> {
    const headers = { authorization: 'Bearer github_pat_octocat', 'content-type': 'application/json' };
    const response = await fetch(`${github.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    expect(response.status, await response.clone().text()).toBe(201);
  }

  it('knows whose token it is', async () => {
    expect(await checkConnection(session, signal())).toMatchObject({ outcome: 'success', account: 'octocat' });
  });

  it('gives every repository, by its links', async () => {
    const pages = await readPages(session, 'repositories');
    const names = pages.flatMap(({ records }) => records.map(({ data }) => data.full_name));
    expect(new Set(names).size).toBe(REPOSITORIES);
    expect(pages.map(({ records }) => records.length)).toEqual([100, 30]);
    const rest = await readPages(session, 'repositories', throughDatabase(pages[0]!.state));
    expect(keysOf(rest)).toEqual(keysOf(pages.slice(1)));
  });

  it('gives the issues of all repositories, and then what changed', async () => {
    for (let index = 0; index < 105; index++) await create('/repos/octocat/repo-3/issues', { title: `Issue ${index}` });
    await create('/repos/octocat/repo-120/issues', { title: 'Far away' });
    const pages = await readPages(session, 'issues');
    const records = pages.flatMap((page) => page.records);
    expect(new Set(records.map(({ key }) => key)).size).toBe(106);
    expect(new Set(records.map(({ data }) => data.repository_id)).size).toBe(2);
    const state = throughDatabase(pages.at(-1)!.state);
    expect(planRead(session, 'issues', state)).toEqual({ kind: 'incremental', resumes: false });

    await create('/repos/octocat/repo-7/issues', { title: 'New' });
    const changed = (await readPages(session, 'issues', state)).flatMap((page) =>
      page.records.map(({ data }) => data.title),
    );
    expect(changed).toContain('New');
  });

  it.each(['pull_requests', 'releases', 'issue_comments', 'commits', 'milestones', 'labels', 'organizations'])(
    'can be asked for %s',
    async (stream) => {
      const pages = await readPages(session, stream);
      expect(pages.at(-1)!.last).toBe(true);
    },
  );

  it('refuses a request without a token', async () => {
    const anonymous = await fetch(`${github.url}/user`);
    expect(anonymous.status).toBe(401);
  });
});

describe('a Stripe-compatible server (emulate)', () => {
  const CUSTOMERS = 230;
  let stripe: Emulator;
  let session: ConnectorSession;

  beforeAll(async () => {
    stripe = await createEmulator({
      service: 'stripe',
      port: 0,
      seed: {
        stripe: {
          customers: Array.from({ length: CUSTOMERS }, (_, index) => ({
            email: `c${index}@example.com`,
            name: `C ${index}`,
          })),
          products: [{ name: 'Pro Plan' }],
          prices: [{ product_name: 'Pro Plan', currency: 'usd', unit_amount: 2000 }],
        },
      },
    });
    session = openSession(await shippedConnector('stripe'), {
      credentials: { apiKey: 'sk_test_emulate' },
      connection: { apiBaseUrl: onLoopback(stripe.url) },
    });
  });
  afterAll(() => stripe.close());

  it('answers the check', async () => {
    expect(await checkConnection(session, signal())).toMatchObject({ outcome: 'success' });
  });

  it('gives every customer, by the last id', async () => {
    const pages = await readPages(session, 'customers');
    const emails = pages.flatMap(({ records }) => records.map(({ data }) => data.email));
    for (let index = 0; index < CUSTOMERS; index++) expect(emails).toContain(`c${index}@example.com`);
    expect(new Set(keysOf(pages)).size).toBe(emails.length);
    expect(pages).toHaveLength(3);
    const rest = await readPages(session, 'customers', throughDatabase(pages[1]!.state));
    expect(keysOf(rest)).toEqual(keysOf(pages.slice(2)));
  });

  it('gives the payments made since', async () => {
    const pay = async (): Promise<string> => {
      const headers = { authorization: 'Bearer sk_test_emulate', 'content-type': 'application/x-www-form-urlencoded' };
      const body = new URLSearchParams({ amount: '100', currency: 'usd' });
      const response = await fetch(`${stripe.url}/v1/payment_intents`, { method: 'POST', headers, body });
      return ((await response.json()) as { id: string }).id;
    };
    const first = await pay();
    const pages = await readPages(session, 'payment_intents');
    expect(keysOf(pages)).toEqual([first]);
    const second = await pay();
    const state = throughDatabase(pages.at(-1)!.state);
    expect(planRead(session, 'payment_intents', state).kind).toBe('incremental');
    expect(keysOf(await readPages(session, 'payment_intents', state)).sort()).toEqual([first, second].sort());
  });

  it.each(['products', 'prices', 'charges'])('can be asked for %s', async (stream) => {
    expect((await readPages(session, stream)).at(-1)!.last).toBe(true);
  });

  it('has no subscriptions, and says so as not found', async () => {
    await expect(readPages(session, 'subscriptions')).rejects.toMatchObject({ outcome: 'not_found', status: 404 });
  });
});
