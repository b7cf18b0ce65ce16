import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useTestDatabase } from '../support/database.ts';
import { openTestServer, type TestServer } from './testServer.ts';

interface Operation {
  operationId: string;
  summary: string;
  tags: string[];
  parameters?: { name: string; in: string }[];
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
  requestBody?: { content: Record<string, unknown> };
}

const database = useTestDatabase();
let server: TestServer;
// biome-ignore lint/suspicious/noExplicitAny: a whole OpenAPI document
let document: any;
let operations: [string, Operation][];

beforeAll(async () => {
  server = await openTestServer(database.url, { workers: false });
  document = (await server.request('GET', '/api/openapi.json', { key: null })).json;
  operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Operation>).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );
});
afterAll(() => server?.close());

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const result = await new Validator().validate(structuredClone(document));
    expect(result.errors ?? []).toEqual([]);
    expect(document.openapi).toBe('3.1.0');
  });

  it('describes every endpoint below /api/v1 and nothing else', () => {
    expect(operations.map(([name]) => name).sort()).toMatchInlineSnapshot(`
      [
        "DELETE /api/v1/alerts/channels/{id}",
        "DELETE /api/v1/alerts/inhibitions/{id}",
        "DELETE /api/v1/alerts/maintenance-windows/{id}",
        "DELETE /api/v1/alerts/policies/{id}",
        "DELETE /api/v1/alerts/rules/{id}",
        "DELETE /api/v1/alerts/silences/{id}",
        "DELETE /api/v1/api-keys/{id}",
        "DELETE /api/v1/api-keys/{id}/freeze",
        "DELETE /api/v1/auth/invitations/{id}",
        "DELETE /api/v1/auth/sessions",
        "DELETE /api/v1/auth/sessions/{id}",
        "DELETE /api/v1/connectors/{platform}",
        "DELETE /api/v1/dashboards/{id}",
        "DELETE /api/v1/grants/{id}",
        "DELETE /api/v1/integrations/{id}",
        "DELETE /api/v1/me/api-keys/{id}",
        "DELETE /api/v1/roles/{name}",
        "DELETE /api/v1/users/{id}/freeze",
        "DELETE /api/v1/users/{id}/second-factor",
        "DELETE /api/v1/webhooks/{id}",
        "GET /api/v1/alerts",
        "GET /api/v1/alerts/active",
        "GET /api/v1/alerts/channels",
        "GET /api/v1/alerts/channels/{id}",
        "GET /api/v1/alerts/history",
        "GET /api/v1/alerts/inhibitions",
        "GET /api/v1/alerts/maintenance-windows",
        "GET /api/v1/alerts/notifications",
        "GET /api/v1/alerts/policies",
        "GET /api/v1/alerts/rules",
        "GET /api/v1/alerts/rules/{id}",
        "GET /api/v1/alerts/silences",
        "GET /api/v1/alerts/status",
        "GET /api/v1/api-keys",
        "GET /api/v1/audit",
        "GET /api/v1/audit/checkpoints",
        "GET /api/v1/audit/entries/{id}/proof",
        "GET /api/v1/audit/export",
        "GET /api/v1/audit/key",
        "GET /api/v1/auth/invitations",
        "GET /api/v1/auth/session",
        "GET /api/v1/auth/sessions",
        "GET /api/v1/break-glass",
        "GET /api/v1/connectors",
        "GET /api/v1/connectors/{platform}",
        "GET /api/v1/dashboards",
        "GET /api/v1/dashboards/{id}",
        "GET /api/v1/dashboards/{id}/export",
        "GET /api/v1/dashboards/{id}/versions",
        "GET /api/v1/dashboards/{id}/versions/{version}",
        "GET /api/v1/health",
        "GET /api/v1/health/integrations",
        "GET /api/v1/integrations",
        "GET /api/v1/integrations/{id}",
        "GET /api/v1/integrations/{id}/health",
        "GET /api/v1/integrations/{id}/logs",
        "GET /api/v1/integrations/{id}/metrics",
        "GET /api/v1/integrations/{id}/optimizations",
        "GET /api/v1/integrations/{id}/performance",
        "GET /api/v1/integrations/{id}/performance/history",
        "GET /api/v1/integrations/{id}/records",
        "GET /api/v1/integrations/{id}/runs",
        "GET /api/v1/integrations/{id}/runs/{runId}",
        "GET /api/v1/integrations/{id}/streams",
        "GET /api/v1/integrations/{id}/streams/{stream}/export",
        "GET /api/v1/integrations/{id}/tuning",
        "GET /api/v1/integrations/{id}/webhooks",
        "GET /api/v1/logs",
        "GET /api/v1/logs/events",
        "GET /api/v1/logs/export",
        "GET /api/v1/logs/histogram",
        "GET /api/v1/logs/levels",
        "GET /api/v1/logs/retention",
        "GET /api/v1/logs/stream",
        "GET /api/v1/me/api-keys",
        "GET /api/v1/metrics",
        "GET /api/v1/performance",
        "GET /api/v1/performance/summary",
        "GET /api/v1/rate-limits",
        "GET /api/v1/roles",
        "GET /api/v1/users",
        "GET /api/v1/users/{id}",
        "GET /api/v1/users/{id}/grants",
        "PATCH /api/v1/alerts/channels/{id}",
        "PATCH /api/v1/alerts/policies/{id}",
        "PATCH /api/v1/alerts/rules/{id}",
        "PATCH /api/v1/integrations/{id}",
        "PATCH /api/v1/roles/{name}",
        "PATCH /api/v1/users/{id}",
        "PATCH /api/v1/webhooks/{id}",
        "POST /api/v1/access/check",
        "POST /api/v1/alerts/acknowledge",
        "POST /api/v1/alerts/channels",
        "POST /api/v1/alerts/channels/{id}/test",
        "POST /api/v1/alerts/inhibitions",
        "POST /api/v1/alerts/maintenance-windows",
        "POST /api/v1/alerts/policies",
        "POST /api/v1/alerts/rules",
        "POST /api/v1/alerts/rules/preview",
        "POST /api/v1/alerts/rules/{id}/test",
        "POST /api/v1/alerts/silences",
        "POST /api/v1/alerts/unacknowledge",
        "POST /api/v1/api-keys/{id}/freeze",
        "POST /api/v1/auth/invitations",
        "POST /api/v1/auth/invitations/accept",
        "POST /api/v1/auth/login",
        "POST /api/v1/auth/login/second-factor",
        "POST /api/v1/auth/logout",
        "POST /api/v1/auth/password",
        "POST /api/v1/auth/password-reset",
        "POST /api/v1/auth/password-reset/confirm",
        "POST /api/v1/auth/setup",
        "POST /api/v1/auth/totp",
        "POST /api/v1/auth/totp/confirm",
        "POST /api/v1/auth/totp/disable",
        "POST /api/v1/break-glass",
        "POST /api/v1/break-glass/{id}/approve",
        "POST /api/v1/break-glass/{id}/end",
        "POST /api/v1/connectors/validate",
        "POST /api/v1/dashboards",
        "POST /api/v1/dashboards/import",
        "POST /api/v1/integrations",
        "POST /api/v1/integrations/{id}/connect",
        "POST /api/v1/integrations/{id}/disconnect",
        "POST /api/v1/integrations/{id}/metrics",
        "POST /api/v1/integrations/{id}/optimizations/{experimentId}/revert",
        "POST /api/v1/integrations/{id}/optimize",
        "POST /api/v1/integrations/{id}/rate-limit",
        "POST /api/v1/integrations/{id}/streams/{stream}/deletions/confirm",
        "POST /api/v1/integrations/{id}/sync",
        "POST /api/v1/integrations/{id}/sync/start",
        "POST /api/v1/integrations/{id}/sync/stop",
        "POST /api/v1/integrations/{id}/test",
        "POST /api/v1/integrations/{id}/webhooks",
        "POST /api/v1/me/api-keys",
        "POST /api/v1/me/api-keys/{id}/rotate",
        "POST /api/v1/metrics/query",
        "POST /api/v1/roles",
        "POST /api/v1/sync",
        "POST /api/v1/users/{id}/deactivate",
        "POST /api/v1/users/{id}/freeze",
        "POST /api/v1/users/{id}/grants",
        "POST /api/v1/users/{id}/reactivate",
        "PUT /api/v1/connectors/{platform}",
        "PUT /api/v1/dashboards/{id}",
        "PUT /api/v1/integrations/{id}/rate-limits/{action}",
        "PUT /api/v1/integrations/{id}/tuning",
        "PUT /api/v1/logs/levels",
        "PUT /api/v1/logs/retention",
        "PUT /api/v1/users/{id}/role",
      ]
    `);
  });

  it('says of each what it does, and that it may answer with problems', () => {
    const ids = operations.map(([, { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [name, { summary, tags, responses }] of operations) {
      expect(summary, name).toMatch(/^[A-Z]/);
      expect(document.tags.map((tag: { name: string }) => tag.name)).toContain(tags[0]);
      for (const [status, { content }] of Object.entries(responses))
        if (status === 'default' || Number(status) >= 400)
          expect(Object.keys(content ?? {}), `${name} ${status}`).toEqual(['application/problem+json']);
    }
  });

  it('names the headers that routes read', () => {
    const headersOf = (name: string) =>
      (operations.find(([one]) => one === name)![1].parameters ?? [])
        .filter((parameter) => parameter.in === 'header')
        .map((parameter) => parameter.name);
    expect(headersOf('POST /api/v1/integrations')).toEqual(['Idempotency-Key']);
    expect(headersOf('PATCH /api/v1/integrations/{id}')).toEqual(['If-Match']);
    expect(headersOf('GET /api/v1/integrations/{id}')).toEqual(['If-None-Match']);
    expect(headersOf('POST /api/v1/connectors/validate')).toEqual([]);
  });

  it('has examples that fit their schemas', () => {
    const ajv = new Ajv2020({ strict: false, formats: { uri: true, date: true, 'date-time': true } });
    ajv.addSchema(document, 'openapi');
    let count = 0;
    const visit = (node: unknown, pointer: string): void => {
      if (typeof node !== 'object' || node === null) return;
      const { examples } = node as { examples?: unknown };
      if (Array.isArray(examples)) {
        const validate = ajv.compile({ $ref: `openapi#${pointer}` });
        for (const example of examples) {
          count++;
          expect(validate(example) ? [] : validate.errors, pointer).toEqual([]);
        }
        return;
      }
      for (const [key, value] of Object.entries(node))
        visit(value, `${pointer}/${encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))}`);
    };
    visit(document, '');
    expect(count).toBeGreaterThan(5);
  });

  it('is the same for every server of a process', async () => {
    const other = await openTestServer(database.url);
    try {
      const { json } = await other.request('GET', '/api/openapi.json', { key: null });
      expect(json).toEqual(document);
      // Asked again now that the other one is there.
      expect((await server.request('GET', '/api/openapi.json', { key: null })).json).toEqual(document);
    } finally {
      await other.close();
    }
  });

  it('tells the secrets of nobody', () => {
    expect(JSON.stringify(document)).not.toContain(server.app.secrets.apiKey);
  });
});

describe('the reference page', () => {
  it('needs nothing from elsewhere', async () => {
    const page = await server.request('GET', '/docs/', { key: null });
    const policy = page.headers.get('content-security-policy')!;
    // What the browser may load and speak to: this server only. So a script that wanted more would fail visibly.
    expect(policy).toContain(`default-src 'none'`);
    expect(policy).toContain(`connect-src 'self'`);
    expect(policy).not.toMatch(/https?:|\*|unsafe-eval/);
    expect(policy.match(/script-src[^;]*/)![0]).not.toContain('unsafe-inline');
    const sources = [...page.text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, source]) => source);
    expect(sources).toEqual(['js/scalar.js']);
    const script = await server.request('GET', '/docs/js/scalar.js', { key: null });
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(script.text.length).toBeGreaterThan(1_000_000);
  });

  it('allows exactly the inline script that it has', async () => {
    const page = await server.request('GET', '/docs/', { key: null });
    const inline = page.text.match(/<script type="text\/javascript">([\s\S]*?)<\/script>/)![1]!;
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(inline));
    const hash = Buffer.from(digest).toString('base64');
    expect(page.headers.get('content-security-policy')).toContain(`script-src 'self' 'sha256-${hash}';`);
    expect(inline).toContain('"url": "/api/openapi.json"');
  });

  it('is where the address without the slash leads', async () => {
    const answer = await server.request('GET', '/docs', { key: null });
    expect([answer.status, answer.headers.get('location')]).toEqual([301, '/docs/']);
  });
});

describe('the landing page', () => {
  it('leads on and holds no secret', async () => {
    const page = await server.request('GET', '/', { key: null });
    for (const link of ['/docs/', '/api/openapi.json', '/docs/errors', '/health']) {
      expect(page.text).toContain(`href="${link}"`);
      // The tests above keep the event loop busy, and /health says so.
      const busy = link === '/health' ? [503] : [];
      const { status } = await server.request('GET', link, { key: null, patient: busy.length === 0 });
      expect([200, ...busy]).toContain(status);
    }
    expect(page.text).toContain('API_KEY');
  });
});
