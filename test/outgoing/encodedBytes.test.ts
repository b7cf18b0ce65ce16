import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeHarness } from './support/harness.ts';
import { serve } from './support/servers.ts';

const LIMITS = { maxResponseBytes: 100_000 };
/** 20 bytes that unpack to nothing, and any number of them is one valid gzip body. */
const EMPTY = gzipSync('');

function harness() {
  const made = makeHarness();
  onTestFinished(() => made.outgoing.close());
  return made;
}

async function serveBody(coding: string, body: Buffer) {
  return serve((_request, response) => response.writeHead(200, { 'content-encoding': coding }).end(body));
}

describe('bytes that are still encoded', () => {
  it('are given up on the wire when they are more than the body may have', async () => {
    const server = await serveBody('gzip', Buffer.alloc(20 * 50_000, EMPTY));
    const { fails, records } = harness();
    expect((await fails(server.origin, LIMITS)).outcome).toBe('response_too_large');
    expect(records[0]!.responseBytes).toBeLessThan(500_000);
  });

  it('are given up between two codings', async () => {
    const inner = Buffer.concat([Buffer.alloc(20 * 50_000, EMPTY), gzipSync('small')]);
    const outer = gzipSync(inner);
    expect(outer.length).toBeLessThan(10_000);
    const server = await serveBody('gzip, gzip', outer);
    expect((await harness().fails(server.origin, LIMITS)).outcome).toBe('response_too_large');
  });

  it('may be a little more than the body, as with one that cannot be compressed', async () => {
    const body = randomBytes(100_000);
    const server = await serveBody('gzip, gzip', gzipSync(gzipSync(body)));
    expect((await harness().get(server.origin, LIMITS)).body.equals(body)).toBe(true);
  });

  it('come in two codings at most', async () => {
    const server = await serveBody('gzip, gzip, gzip', gzipSync(gzipSync(gzipSync('deep'))));
    expect((await harness().fails(server.origin)).outcome).toBe('bad_response');
  });
});
