import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Log } from '../../src/core/log.ts';
import { buildServer } from '../../src/http/server.ts';
import { startServer } from '../../src/http/startServer.ts';
import type { Server } from '../../src/http/typeProvider.ts';
import { useTestDatabase } from '../support/database.ts';
import { openTestServer, type TestServer } from './testServer.ts';

const database = useTestDatabase();
let server: TestServer;

beforeAll(async () => {
  server = await openTestServer(database.url, { workers: false });
});
afterAll(() => server?.close());

const authorization = () => ({ authorization: `Bearer ${server.app.secrets.apiKey}` });

describe('a server with too much work', () => {
  it('says so with 503 and when to try again, and goes on to answer its probes', async () => {
    // Keeps the event loop busy as a flood of work would: no turn is shorter than 0.7 seconds.
    let flooded = true;
    const busy = async () => {
      while (flooded) {
        const turnEndMs = performance.now() + 700;
        while (performance.now() < turnEndMs);
        await delay(1);
      }
    };
    const work = busy();
    const asked = () => server.request('GET', '/api/v1/integrations', { patient: false });
    let refused = await asked();
    for (let attempt = 0; refused.status !== 503 && attempt < 20; attempt++) refused = await asked();
    expect(refused).toMatchObject({ status: 503, json: { code: 'OVERLOADED' } });
    expect(refused.headers.get('retry-after')).toBe('3');
    expect((await server.request('GET', '/livez')).status).toBe(200);
    flooded = false;
    await work;
    for (let attempt = 0; attempt < 100; attempt++) {
      if ((await asked()).status === 200) break;
      await delay(100);
    }
    expect((await asked()).status).toBe(200);
  });
});

describe('a request id', () => {
  it('of the caller is kept when it is one', async () => {
    for (const header of ['request-id', 'x-request-id']) {
      const answer = await server.request('GET', '/api/v1/nothing', { headers: { [header]: 'order-4711:retry.2' } });
      expect(answer.headers.get('request-id')).toBe('order-4711:retry.2');
      expect(answer.json.requestId).toBe('order-4711:retry.2');
    }
    for (const given of ['short', 'x'.repeat(129), 'with space in it', '<script>alert(1)</script>']) {
      const answer = await server.request('GET', '/api/v1/nothing', { headers: { 'request-id': given } });
      expect(answer.headers.get('request-id')).toMatch(/^req_/);
    }
  });
});

describe('a large answer', () => {
  it('is compressed for those who take it', async () => {
    const encoding = async (accepted: string) => {
      const answer = await fetch(`${server.url}/api/openapi.json`, { headers: { 'accept-encoding': accepted } });
      await answer.text();
      return answer.headers.get('content-encoding');
    };
    expect(await encoding('gzip')).toBe('gzip');
    expect(await encoding('br')).toBe('br');
    expect(await encoding('identity')).toBeNull();
  });
});

describe('the log', () => {
  it('has requests without queries and headers, failures at info and their reasons at error', async () => {
    const lines: [string, string][] = [];
    const level = (name: string) => (message: string, fields?: object) =>
      void lines.push([name, `${message} ${JSON.stringify(fields)}`]);
    const log: Log = {
      debug: level('debug'),
      verbose: level('verbose'),
      info: level('info'),
      warn: level('warn'),
      error: level('error'),
      critical: level('critical'),
    };
    const logged = buildServer({ ...server.app, log });
    logged.after(() => {
      logged.get('/api/v1/broken', { config: { permission: 'connectors:read' } }, async () => {
        throw new Error('the inner reason');
      });
    });
    const headers = { ...authorization(), host: 'localhost', cookie: 'canary-cookie' };
    await logged.inject({ url: '/api/v1/integrations?owner=canary-query', headers });
    const broken = await logged.inject({ url: '/api/v1/broken', headers });
    await logged.close();
    const of = (name: string) => lines.filter(([one]) => one === name).map(([, line]) => line);
    expect(of('debug').join()).toMatch(/"actor":"installation:API_KEY".*"path":"\/api\/v1\/integrations","status":200/);
    expect(of('info').join()).toMatch(/"path":"\/api\/v1\/broken","status":500/);
    expect(of('error').join()).toContain('the inner reason');
    expect(of('error').join()).toContain(broken.json().requestId);
    expect(broken.body).not.toContain('inner reason');
    expect(lines.join()).not.toMatch(/canary|Bearer|isk_test/);
  });
});

describe('closing', () => {
  const slowServer = async (): Promise<{
    running: Awaited<ReturnType<typeof startServer>>;
    arrived: Promise<void>;
    release: () => void;
  }> => {
    let release = () => {};
    let arrive = () => {};
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const prepare = (built: Server) => {
      built.after(() => {
        built.get('/slow', { config: { open: true } }, async () => {
          arrive();
          await held;
          return { done: true };
        });
      });
      return built;
    };
    return { running: await startServer(server.app, prepare(buildServer(server.app))), arrived, release };
  };

  it('lets requests under way finish, and takes no new ones', async () => {
    const { running, arrived, release } = await slowServer();
    const slow = fetch(`${running.url}/slow`);
    await arrived;
    const closed = running.close();
    await delay(100);
    await expect(fetch(`${running.url}/livez`)).rejects.toThrow();
    release();
    const answer = await slow;
    expect([answer.status, answer.headers.get('connection'), await answer.json()]).toEqual([
      200,
      'close',
      { done: true },
    ]);
    await closed;
  });

  it('ends connections that are only held open', async () => {
    const { running } = await slowServer();
    const socket = connect(Number(new URL(running.url).port), '127.0.0.1');
    const ended = new Promise((resolve) => socket.on('close', resolve).on('error', () => {}));
    await new Promise((resolve) => httpRequest(`${running.url}/livez`, resolve).end());
    await running.close();
    await ended;
  });
});
