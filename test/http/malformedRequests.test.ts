import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/core/limits.ts';
import { MalformedRequestError } from '../../src/http/errors.ts';
import { parseJson } from '../../src/http/jsonText.ts';
import { answerRawError } from '../../src/http/rawErrors.ts';
import { useTestDatabase } from '../support/database.ts';
import { openTestServer, type TestServer } from './testServer.ts';

/** Sends bytes, and gives what comes until the connection ends. */
function speak(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (data) => {
      answer += data;
    });
    socket.on('close', () => resolve(answer)).on('error', reject);
  });
}

describe('strict JSON', () => {
  it('is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 1, '\t'), (text, space) => {
        const spaced = JSON.stringify(JSON.parse(text), null, space);
        fc.pre(!/"__proto__"|\\u0000|\\ud[89a-f]/i.test(spaced));
        expect(parseJson(spaced)).toEqual(JSON.parse(spaced));
      }),
      { numRuns: 500 },
    );
  });

  it('refuses whatever JSON.parse refuses, and never breaks', () => {
    const nearly = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '"', '{', ']', ':', '\\', '-', '0', 'e', '\n', 'nul'))
      .map(
        ([text, at, piece]) => text.slice(0, at % (text.length + 1)) + piece + text.slice((at % (text.length + 1)) + 1),
      );
    fc.assert(
      fc.property(nearly, (text) => {
        let strict: unknown;
        try {
          strict = parseJson(text);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedRequestError);
          return;
        }
        expect(strict).toEqual(JSON.parse(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['', 'ends too early', 1, 1],
    ['{"a": 1,\n "b": }', 'needs a value', 2, 7],
    ['{"a": 1 "b": 2}', 'needs a "," or "}"', 1, 9],
    ['[1, 2', 'needs a "," or "]"', 1, 6],
    ['{a: 1}', 'needs a name in double quotes', 1, 2],
    ['{"a" 1}', 'needs a ":"', 1, 6],
    ['{"a": 1, "a": 2}', 'has the same name twice in one object', 1, 10],
    ['{"a": 1, "\\u0061": 2}', 'has the same name twice in one object', 1, 10],
    ['{"x": {"__proto__": {}}}', 'has the name "__proto__"', 1, 8],
    ['["a\nb"]', 'has a control character in a text', 1, 4],
    ['["\\x"]', 'has an unknown escape', 1, 3],
    ['["abc', 'has a text that does not end', 1, 2],
    ['["\\ud800"]', 'has half of a surrogate pair', 1, 2],
    ['["\\u0000"]', 'has a text with U+0000', 1, 2],
    ['[1e999]', 'has a number that is too large', 1, 2],
    ['{} {}', 'goes on after its end', 1, 4],
    ['[01]', 'needs a "," or "]"', 1, 3],
    [`${'['.repeat(65)}${']'.repeat(65)}`, 'is nested deeper than 64 levels', 1, 65],
  ])('says where %j is wrong', (text, what, line, column) => {
    expect(() => parseJson(text)).toThrow(`The JSON ${what}`);
    expect(() => parseJson(text)).toThrow(`(line ${line}, column ${column})`);
  });
});

describe('a request that is not what it claims to be', () => {
  const database = useTestDatabase();
  let server: TestServer;

  beforeAll(async () => {
    server = await openTestServer(database.url, { workers: false });
  });
  afterAll(() => server?.close());

  const json = { 'content-type': 'application/json' };
  const post = (raw: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = json) =>
    server.request('POST', '/api/v1/integrations', { raw, headers });

  it('by its JSON is told the place, and what it held stays out of the answer', async () => {
    server.canaries.add('canary-in-broken-json');
    const answer = await post('{"name": "x",\n "credentials": {"token": "canary-in-broken-json"');
    expect(answer).toMatchObject({ status: 400, json: { code: 'MALFORMED_REQUEST', details: { line: 2 } } });
  });

  it.each([
    ['deep JSON', '['.repeat(500_000)],
    ['invalid UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['a name twice', '{"name": "a", "name": "b", "platform": "github"}'],
    ['__proto__', '{"name": "a", "platform": "github", "__proto__": {"admin": true}}'],
    ['U+0000', '{"name": "a\\u0000b", "platform": "github"}'],
    ['half a surrogate pair', '{"name": "\\ud83d", "platform": "github"}'],
  ])('by %s is 400', async (_what, raw) => {
    expect(await post(raw)).toMatchObject({ status: 400, json: { code: 'MALFORMED_REQUEST' } });
  });

  it.each([
    ['nothing', ''],
    ['null', 'null'],
    ['a list', '[]'],
    ['a constructor', '{"constructor": {"prototype": {"admin": true}}, "name": "a", "platform": "github"}'],
  ])('by a body that is %s is 400', async (_what, raw) => {
    expect(await post(raw)).toMatchObject({ status: 400, json: { code: 'INVALID_INPUT' } });
  });

  it.each([
    ['no type', {}],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['text', { 'content-type': 'text/plain' }],
    ['nonsense', { 'content-type': ';;;' }],
    ['compression', { ...json, 'content-encoding': 'gzip' }],
  ])('by its media type (%s) is 415', async (_what, headers) => {
    expect(await post(new Uint8Array([123, 125]), headers as Record<string, string>)).toMatchObject({
      status: 415,
      json: { code: 'UNSUPPORTED_MEDIA_TYPE' },
    });
  });

  it('by its size is 413', async () => {
    const large = `{"name": "${'x'.repeat(LIMITS.requestBodyBytes)}"}`;
    expect(await post(large)).toMatchObject({ status: 413, json: { code: 'REQUEST_TOO_LARGE' } });
  });

  it.each([
    ['%00', 400],
    ['a%20b', 400],
    ['%ff', 400],
    ['%E0%A4%A', 400],
    ['x'.repeat(300), 400],
    ['x'.repeat(2_000), 413],
    ["' or 1=1 --", 400],
    ['..%2f..%2fetc', 404],
    ['int_%F0%9F%98%80', 400],
  ])('by an id like %s is answered with a problem', async (id, status) => {
    for (const path of [`/api/v1/integrations/${id}`, `/api/v1/connectors/${id}`])
      expect((await server.request('GET', path)).status, path).toBe(status);
  });

  it('by its address is told which was probably meant', async () => {
    const typo = await server.request('GET', '/api/v1/integration');
    expect(typo).toMatchObject({ status: 404, json: { code: 'ROUTE_NOT_FOUND' } });
    expect(typo.json.detail).toContain('Did you mean "/api/v1/integrations"?');
    const deep = await server.request('POST', '/api/v1/integrations/int_1/tset');
    expect(deep.json.detail).toContain('Did you mean "/api/v1/integrations/int_1/test"?');
    expect((await server.request('GET', `/${'x/'.repeat(3_000)}`)).status).toBe(404);
  });

  it('by its method is told which are taken', async () => {
    const answer = await server.request('PUT', '/api/v1/integrations/int_1');
    expect(answer).toMatchObject({ status: 405, json: { code: 'METHOD_NOT_ALLOWED' } });
    expect(answer.headers.get('allow')).toBe('DELETE, GET, HEAD, PATCH');
    expect((await server.request('OPTIONS', '/api/v1/integrations')).status).toBe(405);
  });

  it('by being no HTTP at all is answered before the connection ends', async () => {
    const port = Number(new URL(server.url).port);
    expect(await speak(port, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400 [\s\S]*"code":"MALFORMED_REQUEST"/);
    const header = `GET /livez HTTP/1.1\r\nhost: localhost\r\nx-long: ${'x'.repeat(20_000)}\r\n\r\n`;
    expect(await speak(port, header)).toMatch(/^HTTP\/1.1 413 [\s\S]*"code":"REQUEST_TOO_LARGE"/);
  });

  it('by being slow is told so', async () => {
    const impatient = createServer({ headersTimeout: 50, requestTimeout: 50, connectionsCheckingInterval: 20 });
    impatient.on('clientError', answerRawError);
    await new Promise<void>((resolve) => impatient.listen(0, '127.0.0.1', resolve));
    const { port } = impatient.address() as AddressInfo;
    const answer = await speak(port, 'GET /livez HTTP/1.1\r\nhost: loc');
    impatient.close();
    expect(answer).toMatch(/^HTTP\/1.1 408 [\s\S]*"code":"REQUEST_TIMEOUT"/);
  });

  it.each([
    ['/api/v1/integrations?__proto__=x', undefined],
    ['/api/v1/integrations?constructor=x', undefined],
    ['/api/v1/integrations', { credentials: { constructor: 'x', toString: 'y', hasOwnProperty: 'z' } }],
    ['/api/v1/integrations', { configuration: { connection: { constructor: 'x', valueOf: 'y' } } }],
    ['/api/v1/integrations', { configuration: { constructor: {} } }],
    ['/api/v1/integrations', { platform: 'constructor' }],
  ])('by names that every object has is 400 (%s %j)', async (path, more) => {
    const body = more === undefined ? undefined : { name: 'a', platform: 'github', ...more };
    const answer = await server.request(body === undefined ? 'GET' : 'POST', path, { body });
    expect(answer, answer.text).toMatchObject({ status: 400, json: { code: 'INVALID_INPUT' } });
  });

  it('never gets a 500, whatever comes', async () => {
    const paths = ['/api/v1/integrations', '/api/v1/connectors/validate', '/api/v1/integrations/int_1/webhooks'];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...paths),
        fc.oneof(fc.json(), fc.string({ unit: 'binary' })),
        async (path, raw) => {
          const { status } = await server.request('POST', path, { raw, headers: json });
          expect(status).toBeLessThan(500);
        },
      ),
      { numRuns: 150 },
    );
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), async (name, value) => {
        const encode = (text: string) => encodeURIComponent(text.toWellFormed());
        const { status } = await server.request(
          'GET',
          `/api/v1/integrations?owner=${encode(value)}&type=${encode(name)}`,
        );
        expect(status).toBeLessThan(500);
      }),
      { numRuns: 100 },
    );
  });
});
