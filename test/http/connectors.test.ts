import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useTestDatabase } from '../support/database.ts';
import { openTestServer, type TestServer } from './testServer.ts';

const database = useTestDatabase();
let server: TestServer;

beforeAll(async () => {
  server = await openTestServer(database.url, { workers: false });
});
afterAll(() => server?.close());

const SOURCE = `
platform: acme
title: Acme
category: crm
docsUrl: https://docs.acme.example
apiVersion: '1'
baseUrl: https://api.acme.example
auth:
  - name: key
    title: API key
    type: bearer
    token: '{{ credentials.apiKey }}'
    fields:
      - name: apiKey
        title: API key
check:
  path: /me
streams:
  - name: people
    title: People
    path: /people
    primaryKey: id
`;
const yaml = (source: string) => ({ raw: source, headers: { 'content-type': 'application/yaml' } });

describe('the platforms', () => {
  it('are listed, each with what a form needs to ask for', async () => {
    const { json } = await server.request('GET', '/api/v1/connectors');
    const platforms = json.data.map((one: { platform: string }) => one.platform);
    expect(platforms).toEqual(expect.arrayContaining(['github', 'stripe', 'slack', 'http']));
    for (const platform of platforms) {
      const { json: one } = await server.request('GET', `/api/v1/connectors/${platform}`);
      for (const mode of one.auth)
        for (const field of mode.fields) expect(typeof field.secret, `${platform}.${field.name}`).toBe('boolean');
    }
  });

  it('that nobody knows are answered with what was probably meant', async () => {
    expect(await server.request('GET', '/api/v1/connectors/gihub')).toMatchObject({
      status: 404,
      json: { code: 'CONNECTOR_NOT_FOUND', detail: expect.stringContaining('Did you mean "github"?') },
    });
  });
});

describe('a platform of one’s own', () => {
  it('is added as YAML, used, replaced as JSON, and taken away', async () => {
    const saved = await server.request('PUT', '/api/v1/connectors/acme', yaml(SOURCE));
    expect(saved).toMatchObject({
      status: 200,
      json: { version: 1, connector: { platform: 'acme', streams: ['people'] } },
    });
    const created = await server.request('POST', '/api/v1/integrations', {
      body: { name: 'Acme', platform: 'acme', credentials: { apiKey: 'k' } },
    });
    expect(created).toMatchObject({ status: 201, json: { type: 'crm' } });
    // What is read can be edited and sent back: JSON is YAML.
    const { definition } = (await server.request('GET', '/api/v1/connectors/acme')).json;
    const edited = JSON.stringify({ ...definition, title: 'Acme Inc.' });
    const again = await server.request('PUT', '/api/v1/connectors/acme', { body: { source: edited } });
    expect(again.json).toMatchObject({ version: 2, connector: { title: 'Acme Inc.' } });
    expect((await server.request('DELETE', '/api/v1/connectors/acme')).status).toBe(204);
    expect((await server.request('GET', '/api/v1/connectors/acme')).status).toBe(404);
    expect(await server.request('DELETE', '/api/v1/connectors/acme')).toMatchObject({
      status: 404,
      json: { code: 'CONNECTOR_NOT_FOUND' },
    });
  });

  it('is checked without being stored', async () => {
    const good = await server.request('POST', '/api/v1/connectors/validate', yaml(SOURCE));
    expect(good.json).toMatchObject({ valid: true, problems: [], connector: { platform: 'acme' } });
    const bad = await server.request('POST', '/api/v1/connectors/validate', {
      body: { source: SOURCE.replace('primaryKey', 'primarykey') },
    });
    expect(bad).toMatchObject({ status: 200, json: { valid: false } });
    expect(bad.json.problems).toContainEqual(
      expect.objectContaining({ line: 22, message: expect.stringContaining('primaryKey') }),
    );
    expect((await server.request('GET', '/api/v1/connectors/acme')).status).toBe(404);
  });

  it('that is wrong is refused with every problem and its line', async () => {
    const source = SOURCE.replace('type: bearer', 'type: baerer').replace('https://api', 'api');
    const answer = await server.request('PUT', '/api/v1/connectors/acme', yaml(source));
    expect(answer).toMatchObject({ status: 400, json: { code: 'INVALID_CONNECTOR' } });
    expect(answer.json.errors).toContainEqual({
      pointer: '/auth/0/type',
      detail: expect.stringMatching(/^Line 11, column \d+: /),
    });
    expect(await server.request('PUT', '/api/v1/connectors/other', yaml(SOURCE))).toMatchObject({
      status: 400,
      json: { code: 'INVALID_INPUT', errors: [{ pointer: '/platform' }] },
    });
  });

  it('cannot come in another media type, and YAML cannot go elsewhere', async () => {
    const xml = { raw: '<a/>', headers: { 'content-type': 'text/xml' } };
    expect((await server.request('PUT', '/api/v1/connectors/acme', xml)).status).toBe(415);
    expect((await server.request('POST', '/api/v1/integrations', yaml('name: x'))).status).toBe(415);
  });
});
