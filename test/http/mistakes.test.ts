import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useTestDatabase } from '../support/database.ts';
import { openTestServer, type TestServer } from './testServer.ts';

const database = useTestDatabase();
let server: TestServer;

beforeAll(async () => {
  server = await openTestServer(database.url, { workers: false });
  server.canaries.add('canary-credential');
});
afterAll(() => server?.close());

const token = `ghp_${'a'.repeat(36)}`;
const github = { name: 'Code', platform: 'github', credentials: { token } };
const own = { name: 'Own', platform: 'http', credentials: { apiKey: 'canary-credential' } };
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
};

/** The body, where the problem points, and what its text must tell. */
const MISTAKES: [string, unknown, string, RegExp][] = [
  ['a list', [github], '', /takes an object/],
  ['no name', { platform: 'github' }, '/name', /is required/],
  ['a number as the name', { ...github, name: 7 }, '/name', /takes a string.*Got 7/],
  ['an empty name', { ...github, name: '' }, '/name', /at least one character/],
  ['a name too long', { ...github, name: 'x'.repeat(300) }, '/name', /at most 200 characters/],
  ['no platform', { name: 'Code' }, '/platform', /is required/],
  ['a misspelt platform', { ...github, platform: 'gthub' }, '/platform', /Did you mean "github"/],
  ['a misspelt key', { ...github, credntials: {} }, '/credntials', /Did you mean "credentials"/],
  [
    'credentials as text',
    { ...github, credentials: 'canary-credential' },
    '/credentials',
    /takes a record|takes an object/,
  ],
  ['a credential that is none', { ...github, credentials: { token: null } }, '/credentials/token', /takes a string/],
  ['an unknown credential', { ...github, credentials: { tokn: 'canary-credential' } }, '/credentials/tokn', /token/],
  ['an unknown setting', { ...github, configuration: { sync: 'hourly' } }, '/configuration/sync', /not known/],
  [
    'a wrong frequency',
    { ...github, configuration: { syncFrequency: 'hourli' } },
    '/configuration/syncFrequency',
    /"hourly"/,
  ],
  ['a wrong time zone', { ...github, configuration: { timezone: 'Mars' } }, '/configuration/timezone', /IANA/],
  ['a wrong stream', { ...github, configuration: { streams: ['isues'] } }, '/configuration/streams/0', /"issues"/],
  ['no streams', { ...github, configuration: { streams: [] } }, '/configuration/streams', /at least 1/],
  [
    'a share above 100',
    { ...github, configuration: { deletionSafetyPercent: 101 } },
    '/configuration/deletionSafetyPercent',
    /at most 100/,
  ],
  [
    'a budget of nothing',
    { ...github, configuration: { rateLimits: { requestsPerDay: 0 } } },
    '/configuration/rateLimits/requestsPerDay',
    /Got 0/,
  ],
  [
    'a start that is no date',
    { ...github, configuration: { startDate: 'soon' } },
    '/configuration/startDate',
    /date|ISO/i,
  ],
  ['an own API without an address', own, '/configuration/connection/baseUrl', /is required/],
  [
    'an own API with a broken description',
    { ...own, configuration: { connector: { ...connector, pagination: { type: 'pages' } } } },
    '/configuration/connector/pagination/type',
    /page/,
  ],
];

describe('an integration created wrongly over HTTP', () => {
  it.each(MISTAKES)('with %s gets a problem that says where and what to do', async (_what, body, pointer, detail) => {
    const answer = await server.request('POST', '/api/v1/integrations', { body });
    expect(answer, answer.text).toMatchObject({ status: 400, json: { code: 'INVALID_INPUT' } });
    const error = answer.json.errors.find((one: { pointer: string }) => one.pointer === pointer);
    expect(error, answer.text).toBeDefined();
    expect(error.detail).toMatch(detail);
    expect(answer.json.detail).toContain(error.detail);
  });

  it('stores nothing', async () => {
    expect((await server.request('GET', '/api/v1/integrations')).json.data).toEqual([]);
  });
});
