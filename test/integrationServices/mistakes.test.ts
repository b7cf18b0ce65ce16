import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../src/app.ts';
import { InvalidInputError } from '../../src/core/errors.ts';
import type { CreateIntegrationData } from '../../src/integrations/types.ts';
import { openTestApp } from '../support/app.ts';
import { useTestDatabase } from '../support/database.ts';

const database = useTestDatabase();
let app: App;

beforeAll(async () => {
  app = await openTestApp(database.url, { workers: false });
});
afterAll(() => app?.close());

const github = { name: 'Code', platform: 'github', credentials: { token: `ghp_${'a'.repeat(36)}` } };
const connector = {
  baseUrl: 'https://api.example.com',
  auth: [
    {
      name: 'key',
      title: 'Key',
      type: 'bearer',
      token: '{{ credentials.apiKey }}',
      fields: [{ name: 'apiKey', title: 'Key' }],
    },
  ],
  check: { path: '/me' },
  streams: [{ name: 'items', title: 'Items', path: '/items', primaryKey: 'id' }],
};
const http = { name: 'Own', platform: 'http', credentials: { apiKey: 'k' } };

/** What is wrong, where the message points, and what it must tell to be of use. */
const MISTAKES: [string, unknown, string, RegExp][] = [
  ['not an object', 'github', '', /takes an object/],
  ['no name', { platform: 'github' }, '/name', /is required/],
  ['an empty name', { ...github, name: '  ' }, '/name', /at least one character/],
  ['a name too long', { ...github, name: 'x'.repeat(201) }, '/name', /at most 200 characters/],
  ['no platform', { name: 'Code' }, '/platform', /is required/],
  ['a platform with a typo', { ...github, platform: 'gihub' }, '/platform', /Did you mean "github"/],
  [
    'a platform that nobody knows',
    { ...github, platform: 'zzzzzzzz' },
    '/platform',
    /Known are: .*stripe.*take "http"/,
  ],
  ['a key with a typo', { ...github, credential: {} }, '/credential', /Did you mean "credentials"/],
  [
    'a configuration key with a typo',
    { ...github, configuration: { syncFrequencey: 'hourly' } },
    '/configuration/syncFrequencey',
    /Did you mean "syncFrequency"/,
  ],
  [
    'a frequency that is none',
    { ...github, configuration: { syncFrequency: 'sometimes' } },
    '/configuration/syncFrequency',
    /realtime.*15m.*cron/s,
  ],
  [
    'a cron expression that is broken',
    { ...github, configuration: { syncFrequency: '99 * * * *' } },
    '/configuration/syncFrequency',
    /cron/,
  ],
  [
    'a time zone that is none',
    { ...github, configuration: { syncFrequency: '0 9 * * *', timezone: 'Mars/Base' } },
    '/configuration/timezone',
    /Europe\/Berlin|IANA/,
  ],
  [
    'a credential that the platform does not take',
    { ...github, credentials: { tokn: 'x' } },
    '/credentials/tokn',
    /token/,
  ],
  ['a credential that is no text', { ...github, credentials: { token: 5 } }, '/credentials/token', /takes a string/],
  ['an empty credential', { ...github, credentials: { token: '' } }, '/credentials/token', /empty|required/],
  [
    'half of a pair of credentials',
    { name: 'X', platform: 'twitter', credentials: { apiKey: 'xxx' } },
    '/credentials/apiSecret',
    /required/,
  ],
  [
    'a connection field that is missing',
    { name: 'Shop', platform: 'shopify', credentials: { accessToken: 'shpat_x' } },
    '/configuration/connection/shop',
    /required/,
  ],
  [
    'a connection field of the wrong form',
    {
      name: 'Shop',
      platform: 'shopify',
      credentials: { accessToken: `shpat_${'0'.repeat(32)}` },
      configuration: { connection: { shop: 'https://acme.example/' } },
    },
    '/configuration/connection/shop',
    /myshopify/,
  ],
  [
    'a stream that does not exist',
    { ...github, configuration: { streams: ['isues'] } },
    '/configuration/streams/0',
    /Did you mean "issues"/,
  ],
  [
    'a rate limit below one',
    { ...github, configuration: { rateLimits: { requestsPerMinute: 0 } } },
    '/configuration/rateLimits/requestsPerMinute',
    /Got 0/,
  ],
  [
    'a start date that is none',
    { ...github, configuration: { startDate: 'yesterday' } },
    '/configuration/startDate',
    /ISO|date/i,
  ],
  ['an own API without its address', http, '/configuration/connection/baseUrl', /required/],
  [
    'an own API on an address that is none',
    { ...http, configuration: { connector: { ...connector, baseUrl: 'api.example.com' } } },
    '/configuration/connector/baseUrl',
    /https/,
  ],
  [
    'an own API whose pagination is unknown',
    { ...http, configuration: { connector: { ...connector, pagination: { type: 'pages' } } } },
    '/configuration/connector/pagination/type',
    /page/,
  ],
];

describe('an integration created wrongly', () => {
  it.each(MISTAKES)(
    'with %s is refused, says where and what to do, and stores nothing',
    async (_what, input, pointer, message) => {
      const error = await app.integrationService.createIntegration(input as CreateIntegrationData).then(
        () => null,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(InvalidInputError);
      const { problems } = error as InvalidInputError;
      const problem = problems.find((one) => one.pointer === pointer);
      expect(problem, JSON.stringify(problems)).toBeDefined();
      expect(problem!.detail).toMatch(message);
      expect((error as Error).message).toContain(problem!.detail);
      expect(await app.integrationService.getIntegrations()).toEqual([]);
    },
  );

  it('is told every mistake at once', async () => {
    const wrong = {
      name: '',
      platform: 'github',
      credentials: { token: 5 },
      configuration: { syncFrequency: 5, nonsense: 1 },
    };
    await expect(app.integrationService.createIntegration(wrong as never)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      problems: expect.arrayContaining([
        expect.objectContaining({ pointer: '/name' }),
        expect.objectContaining({ pointer: '/credentials/token' }),
        expect.objectContaining({ pointer: '/configuration/syncFrequency' }),
        expect.objectContaining({ pointer: '/configuration/nonsense' }),
      ]),
    });
  });

  it('never has a credential in its message', async () => {
    const error = await app.integrationService
      .createIntegration({ ...github, credentials: { token: 'not a valid canary-77' } })
      .catch((reason: Error) => reason);
    expect(JSON.stringify(error) + String(error)).not.toContain('canary-77');
  });
});
