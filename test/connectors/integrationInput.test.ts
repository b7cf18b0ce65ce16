import { describe, expect, it } from 'vitest';
import { inferAuthMode } from '../../src/connectors/authMode.ts';
import {
  connectionDefaults,
  connectorFor,
  needsCredentials,
  validateIntegrationInput,
} from '../../src/connectors/resolve.ts';
import { InvalidInputError } from '../../src/core/errors.ts';
import type { IntegrationConfiguration } from '../../src/integrations/types.ts';
import { serveApi } from './support/api.ts';
import { keysOf, openSession, readPages, shippedConnector } from './support/session.ts';

async function problems(
  platform: string,
  credentials: Record<string, string> | null,
  configuration: IntegrationConfiguration = {},
  storedCredentialFields?: string[],
): Promise<string[]> {
  const connector = connectorFor(await shippedConnector(platform), configuration);
  return validateIntegrationInput(connector, { credentials, configuration, storedCredentialFields }).map(
    ({ pointer, detail }) => `${pointer} ${detail}`,
  );
}

const token = { token: 'github_pat_abcdef' };

describe('an integration that works is taken:', () => {
  it.each<[string, Record<string, string> | null, IntegrationConfiguration]>([
    ['github', token, {}],
    ['github', null, {}],
    ['github', token, { streams: ['issues'], connection: { apiBaseUrl: 'http://127.0.0.1:3000' } }],
    [
      'twitter',
      { apiKey: 'xxx', apiSecret: 'xxx' },
      { syncFrequency: 'hourly', rateLimits: { requestsPerMinute: 60 } },
    ],
    ['twitter', { bearerToken: 'AAAA' }, { connection: { userId: '2244994945' } }],
    ['shopify', { accessToken: 'shpat_0123456789abcdef' }, { connection: { shop: 'acme' } }],
    [
      'wordpress',
      { username: 'editor', applicationPassword: 'abcd EFGH 1234 ijkl MNOP 5678' },
      { connection: { siteUrl: 'https://blog.example.com' } },
    ],
    ['http', { token: 't' }, { connection: { baseUrl: 'https://api.example.com' } }],
    ['http', null, { connection: { baseUrl: 'https://api.example.com' } }],
  ])('%s %o %o', async (platform, credentials, configuration) => {
    expect(await problems(platform, credentials, configuration)).toEqual([]);
  });
});

describe('an integration that cannot work says what to do:', () => {
  const cases: [string, string, Record<string, string> | null, IntegrationConfiguration, RegExp][] = [
    [
      'a misspelt credential',
      'github',
      { tokn: 'x' },
      {},
      /^\/credentials\/tokn is not a credential of GitHub\. Did you mean "token"\?/,
    ],
    [
      'no credential in the credentials',
      'github',
      {},
      {},
      /^\/credentials\/token is required: Personal access token\. GitHub → Settings/,
    ],
    [
      'half of a pair',
      'twitter',
      { apiKey: 'k' },
      {},
      /^\/credentials\/apiSecret is required: API key secret .*Or give bearerToken instead\./,
    ],
    [
      'the fields of two modes',
      'twitter',
      { apiKey: 'k', apiSecret: 's', bearerToken: 'b' },
      {},
      /^\/credentials\/bearerToken does not belong to the auth mode "app", which takes apiKey, apiSecret\./,
    ],
    ['an empty credential', 'github', { token: '' }, {}, /^\/credentials\/token takes a text that is not empty/],
    [
      'a credential with a line break',
      'github',
      { token: 'github_pat_abc\n' },
      {},
      /has spaces or a line break around it; copy it again without them/,
    ],
    [
      'a credential with its scheme',
      'github',
      { token: 'Bearer github_pat_abc' },
      {},
      /starts with "Bearer"; leave that word out, it is added for you/,
    ],
    [
      'a publishable key',
      'stripe',
      { apiKey: 'pk_test_123456' },
      {},
      /does not look like Secret or restricted API key: it takes a secret key \(sk_live_…, sk_test_…\) or a restricted key/,
    ],
    ['a signing secret', 'slack', { token: '0123456789abcdef' }, {}, /takes a token that starts with xoxb-/],
    [
      'a password instead of an app password',
      'bluesky',
      { identifier: 'alice.test', appPassword: 'hunter2' },
      {},
      /takes an app password of the form xxxx-xxxx-xxxx-xxxx/,
    ],
    [
      'a handle with @',
      'bluesky',
      { identifier: '@alice.test', appPassword: 'abcd-abcd-abcd-abcd' },
      {},
      /takes the handle without "@", or the DID, such as "alice\.bsky\.social"/,
    ],
    [
      'an unknown auth mode',
      'twitter',
      { bearerToken: 'b' },
      { authMode: 'baerer' },
      /^\/configuration\/authMode There is no auth mode "baerer" for X \(Twitter\)\. Did you mean "bearer"\? Known: app, bearer\./,
    ],
    [
      'credentials of another mode than the one named',
      'twitter',
      { bearerToken: 'b' },
      { authMode: 'app' },
      /^\/credentials\/bearerToken does not belong to the auth mode "app"/,
    ],
    [
      'a missing connection field',
      'shopify',
      null,
      {},
      /^\/configuration\/connection\/shop is required: Name of the shop, such as "acme"\./,
    ],
    [
      'a whole address as the shop',
      'shopify',
      null,
      { connection: { shop: 'acme.myshopify.com' } },
      /^\/configuration\/connection\/shop takes the first part of <shop>\.myshopify\.com, in lower case, such as "acme"\./,
    ],
    [
      'a misspelt connection field',
      'mastodon',
      null,
      { connection: { instanceURL: 'https://m.example' } },
      /^\/configuration\/connection\/instanceURL is not a connection field of Mastodon\. Did you mean "instanceUrl"\?/,
    ],
    [
      'an address without scheme',
      'mastodon',
      null,
      { connection: { instanceUrl: 'mastodon.social' } },
      /takes an address that starts with https:\/\//,
    ],
    [
      'an address with a password',
      'wordpress',
      null,
      { connection: { siteUrl: 'https://u:p@blog.example.com' } },
      /takes an address without user name and password/,
    ],
    [
      'an address with a query',
      'wordpress',
      null,
      { connection: { siteUrl: 'https://blog.example.com/?p=1' } },
      /takes an address without "\?" and "#"/,
    ],
    [
      'a number for a text',
      'shopify',
      null,
      { connection: { shop: 5 } },
      /^\/configuration\/connection\/shop takes a text, such as "acme"/,
    ],
    [
      'a name for a number',
      'twitter',
      null,
      { connection: { userId: 'XDevelopers' } },
      /takes the numeric id of an account, not its name, such as "2244994945"/,
    ],
    [
      'a misspelt stream',
      'github',
      token,
      { streams: ['issue'] },
      /^\/configuration\/streams\/0 There is no stream "issue" in GitHub\. Did you mean "issues"\? It has repositories, issues,/,
    ],
    [
      'a stream of an API without any',
      'http',
      null,
      { connection: { baseUrl: 'https://a.example' }, streams: ['x'] },
      /It has none\./,
    ],
    [
      'a description of a platform that is described',
      'github',
      token,
      { connector: {} },
      /^\/configuration\/connector is taken by the platform "http" only; GitHub is described already\./,
    ],
  ];
  it.each(cases)('%s', async (_name, platform, credentials, configuration, message) => {
    const found = await problems(platform, credentials, configuration);
    expect(
      found.some((problem) => message.test(problem)),
      found.join('\n'),
    ).toBe(true);
    for (const value of Object.values(credentials ?? {}))
      if (value.length > 3) expect(found.join('\n')).not.toContain(value);
  });

  it('all at once', async () => {
    const found = await problems(
      'shopify',
      { accessToken: 'shpss_secret' },
      { connection: { shop: 'A' }, streams: ['x'], authMode: 'access_token' },
    );
    expect(found.map((problem) => problem.split(' ')[0])).toEqual([
      '/credentials/accessToken',
      '/configuration/connection/shop',
      '/configuration/streams/0',
    ]);
  });

  it('stored credentials that no longer fit the mode', async () => {
    expect(await problems('twitter', null, { authMode: 'bearer' }, ['apiKey', 'apiSecret'])).toHaveLength(3);
    expect(await problems('twitter', null, {}, ['apiKey', 'apiSecret'])).toEqual([]);
  });
});

describe('the auth mode', () => {
  it('is the one whose fields are there', async () => {
    const twitter = await shippedConnector('twitter');
    const mode = (fields: string[]) => {
      const result = inferAuthMode(twitter, fields);
      return 'mode' in result ? result.mode.name : null;
    };
    expect([mode(['apiSecret', 'apiKey']), mode(['bearerToken']), mode([]), mode(['apiKey'])]).toEqual([
      'app',
      'bearer',
      null,
      null,
    ]);
  });

  it('may need no credentials at all', async () => {
    expect(needsCredentials(await shippedConnector('http'))).toBe(false);
    expect(needsCredentials(await shippedConnector('http'), 'bearer')).toBe(true);
    expect(needsCredentials(await shippedConnector('github'))).toBe(true);
  });
});

describe('an API described in the integration', () => {
  const description = {
    title: 'Acme',
    auth: [
      {
        name: 'key',
        title: 'Key',
        type: 'api_key',
        in: 'header',
        key: 'x-acme-key',
        value: '{{ credentials.key }}',
        fields: [{ name: 'key', title: 'Key' }],
      },
    ],
    check: { path: '/me' },
    pagination: { type: 'page', param: 'page', shortPageEnds: true, pageSize: { param: 'size', value: 2 } },
    streams: [{ name: 'orders', title: 'Orders', path: '/orders', primaryKey: 'id' }],
  };

  it('is used as one with the general one', async () => {
    const api = await serveApi(({ query, headers }) => {
      if (headers['x-acme-key'] !== 'k') return { status: 401, body: {} };
      return { body: query.get('page') === '1' ? [{ id: 1 }, { id: 2 }] : [{ id: 3 }] };
    });
    const http = await shippedConnector('http');
    const connector = connectorFor(http, { connector: description });
    expect(connector.connection.map(({ name }) => name)).toEqual(['baseUrl']);
    expect(connectorFor(http, { connector: structuredClone(description) })).toBe(connector);
    const session = openSession(connector, { credentials: { key: 'k' }, connection: { baseUrl: api.url } });
    expect(keysOf(await readPages(session, 'orders'))).toEqual(['1', '2', '3']);
  });

  it('may have its own address and fields', async () => {
    const http = await shippedConnector('http');
    const connector = connectorFor(http, {
      connector: {
        ...description,
        baseUrl: 'https://{{ config.region }}.acme.example',
        connection: [{ name: 'region', title: 'Region', pattern: '^[a-z]{2}$', default: 'eu' }],
      },
    });
    expect(connectionDefaults(connector)).toEqual({ region: 'eu' });
  });

  it.each([50, 5000, 200_000])('that is %i levels deep is refused', async (levels) => {
    const http = await shippedConnector('http');
    const body = JSON.parse('['.repeat(levels) + ']'.repeat(levels));
    expect(() => connectorFor(http, { connector: { check: { path: '/', body } } })).toThrow(
      'is nested more than 30 levels deep',
    );
  });

  it('that is not valid says where', async () => {
    const http = await shippedConnector('http');
    const broken = {
      platform: 'acme',
      streams: [{ name: 'orders', title: 'Orders', path: '/orders', primarykey: 'id' }],
      auth: 'x',
    };
    const run = () => connectorFor(http, { connector: broken });
    expect(run).toThrow(InvalidInputError);
    try {
      run();
    } catch (error) {
      expect(
        (error as InvalidInputError).problems.map(({ pointer, detail }) => `${pointer} ${detail.split('.')[0]}`),
      ).toEqual([
        '/configuration/connector/platform is not taken here: the platform is "http"',
        '/configuration/connector/auth takes a list',
        '/configuration/connector/streams/0/primaryKey is required (a field or a list of fields)',
        '/configuration/connector/streams/0/primarykey is not known here',
      ]);
    }
  });
});
