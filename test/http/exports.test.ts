import { request as httpRequest, type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../src/core/log.ts';
import { buildServer } from '../../src/http/server.ts';
import { type RunningServer, startServer } from '../../src/http/startServer.ts';
import { useTestDatabase } from '../support/database.ts';
import { openTestServer, type TestServer } from './testServer.ts';

const database = useTestDatabase();
let server: TestServer;
/** The same app, but with a stream that never ends, or breaks. */
let endless: RunningServer;
let path: string;
const logged: string[] = [];
let produced = 0;
let ended = false;
let breakAfter = Number.POSITIVE_INFINITY;

beforeAll(async () => {
  server = await openTestServer(database.url, { workers: false });
  const created = await server.request('POST', '/api/v1/integrations', {
    body: { name: 'Code', platform: 'github', credentials: { token: `ghp_${'a'.repeat(36)}` } },
  });
  path = `${created.headers.get('location')}/streams/items/export`;
  const sync = {
    streamStatus: async () => [{ stream: 'items' }],
    async *export() {
      try {
        for (;;) {
          if (produced >= breakAfter) throw new Error('the database went away');
          produced++;
          yield `${'x'.repeat(64 * 1024)}\n`;
        }
      } finally {
        ended = true;
      }
    },
  };
  const log = {
    ...silentLog,
    error: (message: string, fields?: object) => void logged.push(message + JSON.stringify(fields)),
  };
  endless = await startServer(server.app, buildServer({ ...server.app, log, sync: sync as never }));
});
afterAll(async () => {
  await endless?.close();
  await server?.close();
});

function open(): Promise<IncomingMessage> {
  produced = 0;
  ended = false;
  const headers = { authorization: `Bearer ${server.app.secrets.apiKey}` };
  return new Promise((resolve, reject) => {
    httpRequest(endless.url + path, { headers }, resolve)
      .on('error', reject)
      .end();
  });
}

async function settles(value: () => number): Promise<number> {
  for (let before = -1; before !== value(); await delay(200)) before = value();
  return value();
}

describe('an export', () => {
  it('is read from the database only as fast as the client takes it, and ends when the client goes', async () => {
    const response = await open();
    const held = await settles(() => produced);
    // What sockets buffer on the way, in pieces of 64 KiB; not the stream.
    expect(held).toBeLessThan(500);
    let bytes = 0;
    for await (const chunk of response) {
      bytes += (chunk as Buffer).length;
      if (bytes > 64 * 1024 * (held + 100)) break;
    }
    expect(produced).toBeGreaterThan(held);
    for (let attempt = 0; !ended && attempt < 50; attempt++) await delay(100);
    expect(ended).toBe(true);
  });

  it('that breaks in the middle does not look complete', async () => {
    breakAfter = 40;
    try {
      const response = await open();
      expect(response.statusCode).toBe(200);
      const read = async () => {
        for await (const _ of response);
      };
      await expect(read()).rejects.toThrow('aborted');
      expect(logged.join()).toMatch(/An export was cut off.*the database went away/);
    } finally {
      breakAfter = Number.POSITIVE_INFINITY;
    }
  });

  it('that breaks at its start is a problem', async () => {
    breakAfter = 0;
    try {
      expect((await open()).statusCode).toBe(500);
    } finally {
      breakAfter = Number.POSITIVE_INFINITY;
    }
  });
});
