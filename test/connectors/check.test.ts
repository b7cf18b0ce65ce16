import { describe, expect, it } from 'vitest';
import { checkConnection } from '../../src/connectors/check.ts';
import { connectorFor } from '../../src/connectors/resolve.ts';
import type { CheckResult, ConnectorSession } from '../../src/connectors/types.ts';
import { type Answer, type SeenRequest, serveApi } from './support/api.ts';
import { openSession, shippedConnector } from './support/session.ts';

const CREDENTIALS: Record<string, Record<string, string>> = {
  github: { token: 'github_pat_right' },
  stripe: { apiKey: 'sk_test_right' },
  slack: { token: 'xoxb-1-right' },
  twitter: { bearerToken: 'right' },
  mastodon: { accessToken: 'right' },
  wordpress: { username: 'editor', applicationPassword: 'abcd efgh ijkl mnop qrst uvwx' },
  hubspot: { accessToken: 'pat-na1-right' },
  shopify: { accessToken: 'shpat_right' },
  notion: { token: 'ntn_right' },
};

/** How each platform answers its check when the credential is right, and when it is not. */
const PLATFORMS: Record<
  string,
  { path: string; header: [string, string]; right: Answer; wrong: Answer; account?: string }
> = {
  github: {
    path: '/user',
    header: ['authorization', 'Bearer github_pat_right'],
    right: { body: { login: 'octocat', id: 1 } },
    wrong: { status: 401, body: { message: 'Bad credentials' } },
    account: 'octocat',
  },
  stripe: {
    path: '/v1/customers',
    header: ['authorization', 'Bearer sk_test_right'],
    right: { body: { object: 'list', data: [], has_more: false } },
    wrong: { status: 401, body: { error: { type: 'invalid_request_error', message: 'Invalid API Key provided' } } },
  },
  slack: {
    path: '/auth.test',
    header: ['authorization', 'Bearer xoxb-1-right'],
    right: {
      body: { ok: true, team: 'Acme', user: 'bot' },
      headers: { 'x-oauth-scopes': 'channels:read,channels:history,users:read' },
    },
    wrong: { body: { ok: false, error: 'invalid_auth' } },
    account: 'Acme',
  },
  twitter: {
    path: '/2/usage/tweets',
    header: ['authorization', 'Bearer right'],
    right: { body: { data: { project_id: '17' } } },
    wrong: { status: 401, body: { title: 'Unauthorized', status: 401 } },
    account: '17',
  },
  mastodon: {
    path: '/api/v1/accounts/verify_credentials',
    header: ['authorization', 'Bearer right'],
    right: { body: { id: '1', acct: 'alice' } },
    wrong: { status: 401, body: { error: 'The access token is invalid' } },
    account: 'alice',
  },
  wordpress: {
    path: '/wp-json/wp/v2/users/me',
    header: ['authorization', `Basic ${Buffer.from('editor:abcd efgh ijkl mnop qrst uvwx').toString('base64')}`],
    right: { body: { id: 1, name: 'Editor', username: 'editor' } },
    wrong: { status: 401, body: { code: 'rest_not_logged_in', message: 'You are not currently logged in.' } },
    account: 'editor',
  },
  hubspot: {
    path: '/account-info/v3/details',
    header: ['authorization', 'Bearer pat-na1-right'],
    right: { body: { portalId: 62515 } },
    wrong: {
      status: 401,
      body: { category: 'INVALID_AUTHENTICATION', message: 'Authentication credentials not found.' },
    },
    account: '62515',
  },
  shopify: {
    path: '/admin/api/2026-01/shop.json',
    header: ['x-shopify-access-token', 'shpat_right'],
    right: { body: { shop: { id: 1, name: 'Acme' } } },
    wrong: { status: 401, body: { errors: '[API] Invalid API key or access token' } },
    account: 'Acme',
  },
  notion: {
    path: '/v1/users/me',
    header: ['authorization', 'Bearer ntn_right'],
    right: { body: { object: 'user', bot: { workspace_name: 'Acme' } } },
    wrong: { status: 401, body: { object: 'error', code: 'unauthorized', message: 'API token is invalid.' } },
    account: 'Acme',
  },
};

/** Where a platform's address is set. */
const ADDRESS: Record<string, string> = { mastodon: 'instanceUrl', wordpress: 'siteUrl' };

async function check(
  platform: string,
  answer: (request: SeenRequest) => Answer,
  options: Partial<ConnectorSession> = {},
): Promise<{ result: CheckResult; seen: SeenRequest[] }> {
  const api = await serveApi(answer);
  const connection = {
    [ADDRESS[platform] ?? 'apiBaseUrl']: api.url,
    ...(platform === 'shopify' ? { shop: 'acme' } : {}),
  };
  const session = openSession(await shippedConnector(platform), {
    credentials: CREDENTIALS[platform]!,
    connection,
    ...options,
  });
  return { result: await checkConnection(session, AbortSignal.timeout(10_000)), seen: api.seen };
}

describe('the check proves', () => {
  it.each(Object.entries(PLATFORMS))('%s', async (platform, { path, header, right, wrong, account }) => {
    const answer = (request: SeenRequest): Answer => {
      if (request.path !== path) return { status: 404, body: {} };
      return request.headers[header[0]] === header[1] ? right : wrong;
    };
    const good = await check(platform, answer);
    expect(good.result).toMatchObject({ outcome: 'success', httpStatus: 200, account });
    const other = Object.fromEntries(
      Object.entries(CREDENTIALS[platform]!).map(([name, value]) => [name, `${value}x`]),
    );
    const bad = await check(platform, answer, { credentials: other });
    expect(bad.result).toMatchObject({ outcome: 'wrong_credentials' });
    // Never more than the check itself: wrong credentials are not tried again.
    expect(bad.seen).toHaveLength(1);
  });

  it('the versions that were asked for', async () => {
    const github = await check('github', () => PLATFORMS.github!.right);
    expect(github.seen[0]!.headers).toMatchObject({
      'x-github-api-version': '2022-11-28',
      accept: 'application/vnd.github+json',
    });
    const notion = await check('notion', () => PLATFORMS.notion!.right);
    expect(notion.seen[0]!.headers['notion-version']).toBe('2025-09-03');
  });
});

describe('the check tells apart', () => {
  const status =
    (code: number, body: unknown = {}, headers: Record<string, string> = {}) =>
    () => ({ status: code, body, headers });

  it.each<[string, () => Answer, Partial<CheckResult>]>([
    [
      'a missing permission',
      status(403, { message: 'Resource not accessible' }),
      { outcome: 'missing_scope', providerMessage: 'Resource not accessible' },
    ],
    ['nothing at the address', status(404), { outcome: 'not_found' }],
    ['a provider with a problem', status(500), { outcome: 'provider_error', attempts: 2 }],
    ['a limit', status(429, {}, { 'retry-after': '600' }), { outcome: 'rate_limited', retryAfterMs: 600_000 }],
    ['a web page', () => ({ headers: { 'content-type': 'text/html' }, body: '<html>' }), { outcome: 'bad_response' }],
    ['another API', () => ({ body: { status: 'ok' } }), { outcome: 'bad_response', httpStatus: 200 }],
  ])('%s', async (_name, answer, expected) => {
    expect((await check('github', answer)).result).toMatchObject(expected);
  });

  it('a server that is not there, and a name that does not exist', async () => {
    const github = await shippedConnector('github');
    const session = (apiBaseUrl: string) =>
      openSession(github, { credentials: CREDENTIALS.github!, connection: { apiBaseUrl } });
    const signal = AbortSignal.timeout(20_000);
    expect(await checkConnection(session('http://127.0.0.1:9'), signal)).toMatchObject({ outcome: 'unreachable' });
    expect(await checkConnection(session('http://10.1.2.3'), signal)).toMatchObject({ outcome: 'blocked' });
  });

  it('scopes that the default streams need', async () => {
    const scopes = (list: string) => () => ({ ...PLATFORMS.slack!.right, headers: { 'x-oauth-scopes': list } });
    const { result } = await check('slack', scopes('channels:read, chat:write'));
    expect(result).toMatchObject({ outcome: 'missing_scope', missingScopes: ['users:read', 'channels:history'] });
    expect((await check('slack', scopes('users:read,channels:read,channels:history'))).result.outcome).toBe('success');
  });

  it('scopes that the chosen streams need, also where a larger one contains them', async () => {
    const api = await serveApi(({ headers }) => ({
      body: { login: 'a' },
      headers: { 'x-oauth-scopes': headers.authorization?.endsWith('admin') ? 'admin:org' : 'repo' },
    }));
    const github = await shippedConnector('github');
    const run = (token: string) =>
      checkConnection(
        openSession(github, { credentials: { token }, connection: { apiBaseUrl: api.url } }),
        AbortSignal.timeout(10_000),
        ['organizations'],
      );
    expect(await run('github_pat_repo')).toMatchObject({ outcome: 'missing_scope', missingScopes: ['read:org'] });
    expect(await run('github_pat_admin')).toMatchObject({ outcome: 'success' });
  });

  it('a page that anybody gets', async () => {
    const { result, seen } = await check('wordpress', () => PLATFORMS.wordpress!.right);
    expect(result.outcome).toBe('public_endpoint');
    expect(seen.map(({ headers }) => headers.authorization !== undefined)).toEqual([true, false]);
  });

  it('a page that anybody gets, of an API described in the integration', async () => {
    const api = await serveApi(() => ({ body: [{ id: 1 }] }));
    const http = connectorFor(await shippedConnector('http'), { connector: { check: { path: '/posts' } } });
    const session = openSession(http, { credentials: { token: 'wrong' }, connection: { baseUrl: api.url } });
    expect(await checkConnection(session, AbortSignal.timeout(10_000))).toMatchObject({ outcome: 'public_endpoint' });
    // Nothing to prove without credentials: that the API answers is all there is.
    const open = openSession(http, { connection: { baseUrl: api.url } });
    expect(await checkConnection(open, AbortSignal.timeout(10_000))).toMatchObject({ outcome: 'success' });
  });

  it('a public page from one that is only down for the second call', async () => {
    let calls = 0;
    const { result } = await check('wordpress', () =>
      calls++ === 0 ? PLATFORMS.wordpress!.right : { status: 503, body: {} },
    );
    expect(result.outcome).toBe('success');
  });

  it('an address that cannot be built', async () => {
    const http = await shippedConnector('http');
    const credentials = { clientId: 'i', clientSecret: 's' };
    const session = openSession(http, { credentials, connection: { baseUrl: 'http://127.0.0.1:9' } });
    expect(await checkConnection(session, AbortSignal.timeout(1000))).toMatchObject({
      outcome: 'invalid_request',
      providerMessage: expect.stringContaining('{{ config.tokenUrl }}'),
    });
  });

  it('credentials that fit no auth mode', async () => {
    const session = openSession(await shippedConnector('github'), { credentials: { tokn: 'x' }, connection: {} });
    await expect(checkConnection(session, AbortSignal.timeout(1000))).rejects.toThrow('Did you mean "token"?');
  });

  it('an account whose name repeats the secret', async () => {
    const { result } = await check('github', () => ({ body: { login: 'me github_pat_right' } }));
    expect(result.account).toBe('me [hidden]');
  });
});
