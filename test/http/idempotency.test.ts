import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdempotentAnswers } from '../../src/http/idempotentAnswers.ts';
import { useTestDatabase } from '../support/database.ts';
import { describeProvider, type Provider, startProvider } from '../support/provider.ts';
import { openTestServer, type TestServer } from './testServer.ts';

const database = useTestDatabase();
let server: TestServer;
let provider: Provider;

beforeAll(async () => {
  provider = await startProvider(5);
  server = await openTestServer(database.url, { workers: false });
  server.canaries.add(provider.key);
});
afterAll(async () => {
  await server?.close();
  await provider?.close();
});

const input = (name: string) => ({
  name,
  platform: 'http',
  owner: name,
  credentials: { apiKey: provider.key },
  configuration: { connector: describeProvider(provider) },
});
const create = (name: string, key: string) =>
  server.request('POST', '/api/v1/integrations', { body: input(name), headers: { 'idempotency-key': key } });
const count = async (owner: string): Promise<number> =>
  (await server.request('GET', `/api/v1/integrations?owner=${owner}`)).json.data.length;

describe('a POST with an Idempotency-Key', () => {
  it('is carried out once and answered the same again', async () => {
    const key = randomUUID();
    const first = await create('once', key);
    const again = await create('once', key);
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.text).toBe(first.text);
    for (const header of ['location', 'etag', 'content-type'])
      expect(again.headers.get(header)).toBe(first.headers.get(header));
    expect(first.headers.get('idempotent-replay')).toBeNull();
    expect(again.headers.get('idempotent-replay')).toBe('true');
    expect(again.headers.get('request-id')).not.toBe(first.headers.get('request-id'));
    expect(await count('once')).toBe(1);
  });

  it('finds what it made before the server was killed, instead of making another', async () => {
    const key = randomUUID();
    const first = await create('killed', key);
    const hooks = `${first.headers.get('location')}/webhooks`;
    const addHook = () =>
      server.request('POST', hooks, {
        body: { url: 'https://example.com/hook', events: ['*'] },
        headers: { 'idempotency-key': `hook-${key}` },
      });
    const hook = await addHook();
    // As a kill between the work and its answer leaves it, two minutes later.
    await database.current.pool.query(
      `update idempotency_keys set response = null, locked_until = now() - interval '1 second' where key like '%' || $1`,
      [key],
    );
    const again = await create('killed', key);
    expect([again.status, again.json.id]).toEqual([201, first.json.id]);
    expect(again.headers.get('idempotent-replay')).toBeNull();
    expect(await count('killed')).toBe(1);
    const hookAgain = await addHook();
    expect([hookAgain.status, hookAgain.json.id]).toEqual([201, hook.json.id]);
    expect((await server.request('GET', hooks)).json.data).toHaveLength(1);
  });

  it('is the same request however its JSON is written', async () => {
    const key = randomUUID();
    const { name, ...rest } = input('written');
    const first = await create('written', key);
    const again = await server.request('POST', '/api/v1/integrations', {
      raw: JSON.stringify({ ...rest, name }, null, 2),
      headers: { 'idempotency-key': key, 'content-type': 'application/json' },
    });
    expect(again.text).toBe(first.text);
  });

  it('refuses the key for another body or address', async () => {
    const key = randomUUID();
    const { headers } = await create('first', key);
    const other = [
      await create('second', key),
      await server.request('POST', `${headers.get('location')}/test`, { headers: { 'idempotency-key': key } }),
    ];
    for (const answer of other) expect(answer).toMatchObject({ status: 422, json: { code: 'IDEMPOTENCY_KEY_REUSED' } });
    expect(await count('second')).toBe(0);
  });

  it('is told to wait while the first is being answered', async () => {
    const { headers } = await create('slow', randomUUID());
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const arrived = new Promise<void>((resolve) => {
      provider.answer = (_request, response) => {
        resolve();
        void held.then(() => response.writeHead(401).end('{}'));
      };
    });
    const key = randomUUID();
    const test = () =>
      server.request('POST', `${headers.get('location')}/test`, { headers: { 'idempotency-key': key } });
    const first = test();
    await arrived;
    const second = await test();
    expect(second).toMatchObject({ status: 409, json: { code: 'IDEMPOTENCY_KEY_IN_FLIGHT' } });
    expect(second.headers.get('retry-after')).toBe('1');
    release();
    provider.answer = null;
    expect((await first).json.status).toBe('wrong_credentials');
    expect((await test()).text).toBe((await first).text);
  });

  it('is carried out once also when twenty come at the same moment', async () => {
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 20 }, () => create('burst', key)));
    for (const answer of answers) expect([201, 409]).toContain(answer.status);
    expect(await count('burst')).toBe(1);
  });

  it('keeps problems that are final, and not the ones of a request that cannot be read', async () => {
    const connect = `/api/v1/integrations/int_00000000000000000000000000/connect`;
    const key = { 'idempotency-key': randomUUID() };
    expect((await server.request('POST', connect, { headers: key })).status).toBe(404);
    const again = await server.request('POST', connect, { headers: key });
    expect([again.status, again.headers.get('idempotent-replay')]).toEqual([404, 'true']);

    const corrected = randomUUID();
    const wrong = { body: { nam: 'x' }, headers: { 'idempotency-key': corrected } };
    expect((await server.request('POST', '/api/v1/integrations', wrong)).status).toBe(400);
    expect((await create('corrected', corrected)).status).toBe(201);
  });

  it('frees the key when the server fails', async () => {
    const key = randomUUID();
    await database.current.pool.query('alter table integrations rename to integrations_away');
    try {
      expect((await create('failed', key)).status).toBe(500);
    } finally {
      await database.current.pool.query('alter table integrations_away rename to integrations');
    }
    const again = await create('failed', key);
    expect([again.status, again.headers.get('idempotent-replay')]).toEqual([201, null]);
  });

  it('refuses a key that is none', async () => {
    for (const key of ['with space', 'x'.repeat(256)])
      expect(await create('key', key)).toMatchObject({ status: 400, json: { code: 'INVALID_INPUT' } });
  });

  it('keeps a secret that was shown once sealed, and shows it again to the one who repeats', async () => {
    const { headers } = await create('hooks', randomUUID());
    const add = {
      body: { url: 'https://example.com/hook', events: ['*'] },
      headers: { 'idempotency-key': randomUUID() },
    };
    const first = await server.request('POST', `${headers.get('location')}/webhooks`, add);
    const again = await server.request('POST', `${headers.get('location')}/webhooks`, add);
    expect(again.json.secret).toBe(first.json.secret);
    const { rows } = await database.current.pool.query('select response::text as response from idempotency_keys');
    expect(JSON.stringify(rows)).not.toContain(first.json.secret);
    expect(JSON.stringify(rows)).not.toContain('hook');
  });
});

describe('a kept answer', () => {
  const answer = { status: 200, headers: {}, body: '"done"' };
  const hash = Buffer.alloc(32, 1);
  const expire = (key: string, what: string) =>
    database.current.pool.query(`update idempotency_keys set ${what} where key = $1`, [key]);
  const make = () => {
    const { app } = server;
    return { answers: new IdempotentAnswers(app.database, app.credentials), key: randomUUID() };
  };

  it('of a request that crashed is free when its lock expires, for the same request', async () => {
    const { answers, key } = make();
    const crashed = await answers.claim('s', key, hash);
    await expect(answers.claim('s', key, hash)).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_IN_FLIGHT' });
    await expire(key, `locked_until = now() - interval '1 second'`);
    await expect(answers.claim('s', key, Buffer.alloc(32, 2))).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
    const taken = await answers.claim('s', key, hash);
    if (!('lockedUntil' in crashed) || !('lockedUntil' in taken)) throw new Error('Both had to take the key.');
    // The one that was thought dead comes back: its answer does not count, and it cannot free the key.
    await answers.keep({ ...crashed, lockedUntil: new Date(0) }, { ...answer, body: '"late"' });
    await answers.release({ ...crashed, lockedUntil: new Date(0) });
    await answers.keep(taken, answer);
    expect(await answers.claim('s', key, hash)).toEqual(answer);
  });

  it('is forgotten after a day', async () => {
    const { answers, key } = make();
    const claim = await answers.claim('s', key, hash);
    if (!('lockedUntil' in claim)) throw new Error('It had to take the key.');
    await answers.keep(claim, answer);
    await expire(key, `created_at = now() - interval '25 hours'`);
    expect(await answers.claim('s', key, Buffer.alloc(32, 9))).toHaveProperty('lockedUntil');
  });

  it('that is too large, or cannot be opened any more, is not carried out again either', async () => {
    for (const large of [true, false]) {
      const { answers, key } = make();
      const claim = await answers.claim('s', key, hash);
      if (!('lockedUntil' in claim)) throw new Error('It had to take the key.');
      await answers.keep(claim, large ? { ...answer, body: 'x'.repeat(1024 * 1024 + 1) } : answer);
      if (!large) await expire(key, `response = jsonb_set(response, '{envelope}', '{"v": 1}')`);
      await expect(answers.claim('s', key, hash)).rejects.toMatchObject({
        code: 'IDEMPOTENT_ANSWER_LOST',
        details: { status: 200 },
      });
    }
  });
});
