import { randomBytes } from 'node:crypto';
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeHarness } from './support/harness.ts';
import { serve } from './support/servers.ts';

function harness() {
  const made = makeHarness();
  onTestFinished(() => made.outgoing.close());
  return made;
}

const ENCODERS = {
  gzip: gzipSync,
  'x-gzip': gzipSync,
  deflate: deflateSync,
  'deflate (bare)': deflateRawSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
} as const;
const FAST = { params: { [constants.BROTLI_PARAM_QUALITY]: 2 } };
const headerOf = (name: string) => name.replace(' (bare)', '');

/** Serves one body under a content coding, in pieces of `pieceBytes`. */
async function serveBody(coding: string | undefined, body: Buffer, pieceBytes = 65_536) {
  let sentBytes = 0;
  let closed = false;
  const server = await serve((_request, response) => {
    response.on('close', () => {
      closed = !response.writableFinished;
    });
    response.writeHead(200, { 'content-type': 'application/json', ...(coding ? { 'content-encoding': coding } : {}) });
    const next = () => {
      while (sentBytes < body.length && !response.destroyed) {
        const piece = body.subarray(sentBytes, sentBytes + pieceBytes);
        sentBytes += piece.length;
        if (!response.write(piece)) return response.once('drain', next);
      }
      return response.end();
    };
    next();
  });
  return { ...server, sentBytes: () => sentBytes, cutOff: () => closed };
}

describe('a response body', () => {
  it.each(Object.entries(ENCODERS))('is decoded from %s', async (name, encode) => {
    const body = Buffer.from(JSON.stringify({ text: 'ä'.repeat(50_000), random: randomBytes(40_000).toString('hex') }));
    const encoded = encode(body);
    const server = await serveBody(headerOf(name), encoded, 1_000);
    const { get, records } = harness();
    const response = await get(server.origin);
    expect(response.body.equals(body)).toBe(true);
    expect(records[0]!.responseBytes).toBe(encoded.length);
  });

  it('that arrives faster than it can be decoded waits, and then comes whole', async () => {
    const body = randomBytes(8_000_000);
    for (const name of ['gzip', 'br', 'zstd'] as const) {
      const server = await serveBody(name, name === 'br' ? brotliCompressSync(body, FAST) : ENCODERS[name](body));
      expect((await harness().get(server.origin)).body.equals(body)).toBe(true);
    }
  });

  it('is decoded through several codings, and asked for in those that are known', async () => {
    const server = await serveBody('gzip, identity, br', brotliCompressSync(gzipSync('deep')));
    expect((await harness().get(server.origin)).body.toString()).toBe('deep');
    expect(server.seen[0]!.headers['accept-encoding']).toBe('gzip, deflate, br, zstd');
  });

  it('may be empty under any coding', async () => {
    for (const name of ['gzip', 'br', 'deflate', 'zstd']) {
      const server = await serveBody(name, Buffer.alloc(0));
      expect((await harness().get(server.origin)).body).toHaveLength(0);
      expect((await harness().get(server.origin, { method: 'HEAD' })).body).toHaveLength(0);
    }
  });

  it('is a bad response when its coding is unknown, does not match it, or is cut off', async () => {
    const gzipped = gzipSync(randomBytes(100_000));
    for (const [coding, body] of [
      ['compress', Buffer.from('x')],
      ['gzip, gzip, gzip', gzipSync(gzipSync(gzipped))],
      ['gzip', Buffer.from('{"not":"gzip"}')],
      ['gzip', gzipped.subarray(0, 50_000)],
      ['br', brotliCompressSync(randomBytes(100_000)).subarray(0, 50_000)],
      ['deflate', deflateSync(randomBytes(100_000)).subarray(0, 50_000)],
      ['zstd', zstdCompressSync(randomBytes(100_000)).subarray(0, 50_000)],
    ] as const) {
      const server = await serveBody(coding, body);
      const error = await harness().fails(server.origin);
      expect(error.outcome, coding).toBe('bad_response');
    }
  });

  it('is refused above the limit, by its announced length before any of it is read', async () => {
    const server = await serveBody(undefined, Buffer.alloc(200_000));
    expect((await harness().fails(server.origin, { maxResponseBytes: 199_999 })).outcome).toBe('response_too_large');
    expect(
      (
        await harness()
          .get(server.origin, { maxResponseBytes: 200_000 })
          .catch(() => null)
      )?.status,
    ).toBe(200);
    const announcing = await serve((_request, response) =>
      response.writeHead(200, { 'content-length': 1_000_000 }).flushHeaders(),
    );
    const { fails, records } = harness();
    expect((await fails(announcing.origin, { maxResponseBytes: 999_999 })).outcome).toBe('response_too_large');
    expect(records[0]!.responseBytes).toBe(0);
  });

  it('takes a HEAD answer for what it is, whatever length it announces', async () => {
    const server = await serve((_request, response) =>
      response.writeHead(200, { 'content-length': 1_000_000_000 }).end(),
    );
    expect((await harness().get(server.origin, { method: 'HEAD' })).status).toBe(200);
  });

  it.each(['gzip', 'br', 'deflate', 'zstd'] as const)(
    'that is a %s bomb is given up at the limit, and the connection ended',
    async (name) => {
      const zeros = Buffer.alloc(64 * 1024 * 1024);
      const bomb = name === 'br' ? brotliCompressSync(zeros, FAST) : ENCODERS[name](zeros);
      // Enough bombs in a row that the rest would take long to come.
      const server = await serveBody(name, Buffer.concat([bomb, randomBytes(20_000_000)]), 16_384);
      const before = process.memoryUsage().arrayBuffers;
      const error = await harness().fails(server.origin, { maxResponseBytes: 1_000_000 });
      expect(error.outcome).toBe('response_too_large');
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
      await expect.poll(server.cutOff).toBe(true);
      expect(server.sentBytes()).toBeLessThan(bomb.length + 20_000_000);
    },
  );

  it('that is a bomb inside a bomb is given up too', async () => {
    const bomb = gzipSync(gzipSync(Buffer.alloc(200 * 1024 * 1024)));
    expect(bomb.length).toBeLessThan(5_000);
    const server = await serveBody('gzip, gzip', bomb);
    expect((await harness().fails(server.origin, { maxResponseBytes: 1_000_000 })).outcome).toBe('response_too_large');
  });

  it('costs no more memory for coming in one-byte chunks', async () => {
    const server = await serve((_request, response) => {
      const chunk = Buffer.from('1\r\nx\r\n'.repeat(100_000));
      response.socket!.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
      for (let time = 0; time < 10; time++) response.socket!.write(chunk);
      response.socket!.write('0\r\n\r\n');
    });
    const before = process.memoryUsage().heapUsed;
    const { body } = await harness().get(server.origin);
    expect(body).toHaveLength(1_000_000);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(150_000_000);
  });

  it('arrives as it was sent, whatever its size, pieces and codings', async () => {
    const { get } = harness();
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 20_000 }),
        fc.integer({ min: 1, max: 30_000 }),
        fc.shuffledSubarray(['gzip', 'br', 'deflate', 'zstd'] as const, { maxLength: 2 }),
        async (content, pieceBytes, codings) => {
          const body = Buffer.from(content);
          const encoded = codings.reduce((data, coding) => ENCODERS[coding](data), body);
          const server = await serveBody(codings.join(', ') || undefined, encoded, pieceBytes);
          expect((await get(server.origin)).body.equals(body)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });
});
