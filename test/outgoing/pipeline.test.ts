import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isId } from '../../src/core/ids.ts';
import type { OutgoingCall } from '../../src/outgoing/types.ts';
import { InstantClock, makeHarness } from './support/harness.ts';
import { serve } from './support/servers.ts';

function harness(options: Parameters<typeof makeHarness>[0] = {}) {
  const made = makeHarness(options);
  onTestFinished(() => made.outgoing.close());
  return made;
}

describe('an answer', () => {
  it('comes with status, joined headers, body, address, duration and attempts', async () => {
    const api = await serve((_request, response) => {
      response.setHeader('X-Twice', ['a', 'b']);
      response.setHeader('Link', '<https://x/2>; rel="next"');
      response.writeHead(203).end('hello');
    });
    const response = await harness().get(`${api.origin}/v1/items?page=2#top`, {
      headers: { Accept: 'application/json' },
    });
    expect(response).toMatchObject({ status: 203, url: `${api.origin}/v1/items?page=2`, attempts: 1 });
    expect(response.headers).toMatchObject({ 'x-twice': 'a, b', link: '<https://x/2>; rel="next"' });
    expect(response.body.toString()).toBe('hello');
    expect(response.latencyMs).toBeGreaterThan(0);
    expect(api.seen[0]).toMatchObject({
      url: '/v1/items?page=2',
      headers: { accept: 'application/json', 'user-agent': 'integration-services' },
    });
  });

  it('follows an announcement (103, 100)', async () => {
    const api = await serve((_request, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' });
      response.end('real');
    });
    const response = await harness().get(api.origin);
    expect(response).toMatchObject({ status: 200 });
    expect(response.headers).not.toHaveProperty('link');
  });

  it('is judged by the classifier of the call', async () => {
    const api = await serve((_request, response) => response.end('{"ok":false,"error":"invalid_auth"}'));
    const { fails, get } = harness();
    const classify: OutgoingCall['classify'] = ({ body }) => {
      const { ok, error } = JSON.parse(body.toString()) as { ok: boolean; error: string };
      return ok
        ? { outcome: 'success', retryable: false }
        : { outcome: 'wrong_credentials', retryable: false, providerCode: error };
    };
    const error = await fails(`${api.origin}/x?secret=1`, { classify });
    expect(error).toMatchObject({
      outcome: 'wrong_credentials',
      status: 200,
      providerCode: 'invalid_auth',
      url: `${api.origin}/x`,
    });
    expect(error.message).toBe(
      `GET ${api.origin}/x failed: answered 200 (invalid_auth). Check the credentials of the integration.`,
    );
    const broken = await fails(api.origin, {
      classify: ({ body }) => {
        throw new Error(body.toString());
      },
    });
    expect(broken).toMatchObject({ outcome: 'bad_response' });
    expect(broken.message).not.toContain('invalid_auth');
    expect((await get(api.origin, { classify: () => ({ outcome: 'success', retryable: false }) })).status).toBe(200);
  });
});

describe('the record of attempts', () => {
  it('equals what the server saw', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH'),
            path: fc.constantFrom('/a', '/b/c', '/d%20e', '/'),
            statuses: fc.array(fc.constantFrom(200, 204, 302, 400, 404, 429, 500, 503), { minLength: 1, maxLength: 5 }),
          }),
          { maxLength: 6 },
        ),
        async (calls) => {
          let plan: number[] = [];
          const answers: number[] = [];
          const api = await serve((_request, response) => {
            const status = plan.shift() ?? 200;
            answers.push(status);
            response.writeHead(status, status === 302 ? { location: '/moved?to=1' } : {}).end('body');
          });
          const { outgoing, call, records } = makeHarness({ clock: new InstantClock() });
          for (const [index, { method, path, statuses }] of calls.entries()) {
            plan = [...statuses];
            const options = {
              method,
              integrationId: `int_${index}`,
              operationId: `op_${index}`,
              retry: { maxAttempts: 4 },
            };
            await outgoing.send(call(`${api.origin}${path}?q=secret`, options)).catch(() => {});
          }
          await outgoing.close();
          expect(records.map(({ method, host, path, status }) => ({ method, host, path, status }))).toEqual(
            api.seen.map(({ method, url, headers }, index) => ({
              method,
              host: headers.host,
              path: url.split('?')[0],
              status: answers[index],
            })),
          );
          expect(JSON.stringify(records)).not.toContain('secret');
          expect(new Set(records.map(({ id }) => id)).size).toBe(records.length);
          for (const one of records) {
            expect(isId('attempt', one.id)).toBe(true);
            expect(one.operationId).toBe(one.integrationId.replace('int', 'op'));
            expect(one.durationMs).toBeGreaterThan(0);
            expect(one.firstByteMs).toBeLessThanOrEqual(one.durationMs);
            expect(one.responseBytes).toBe(one.status === 204 ? 0 : 4);
            expect(one.error === null).toBe(one.outcome === 'success');
          }
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('the rate budget', () => {
  const budgets = [{ maxRequests: 2, windowMs: 60_000 }];

  it("is the integration's own, paid by every attempt and every redirect at home", async () => {
    const api = await serve((_request, response, { url }) => {
      if (url === '/moved') response.writeHead(302, { location: '/here' }).end();
      else response.end();
    });
    const { get, fails } = harness();
    await get(`${api.origin}/moved`, { budgets });
    const error = await fails(api.origin, { budgets, maxWaitMs: 10 });
    expect(error).toMatchObject({ outcome: 'rate_limited', attempts: 0 });
    expect(error.retryAfterMs).toBeGreaterThan(50_000);
    await get(api.origin, { budgets, integrationId: 'int_2' });
    expect(api.seen).toHaveLength(3);
  });

  it('makes a call wait, and the wait is recorded', async () => {
    const api = await serve();
    const clock = new InstantClock();
    const { get, records } = harness({ clock });
    for (let time = 0; time < 3; time++) await get(api.origin, { budgets });
    expect(clock.sleptMs).toHaveLength(1);
    expect(records[2]!.waitMs).toBeGreaterThan(50_000);
    expect(records[2]!.durationMs).toBeLessThan(10_000);
  });

  it('defaults to the configured one', async () => {
    const api = await serve();
    const { get, fails } = harness({ defaultBudget: { maxRequests: 1, windowMs: 60_000 } });
    await get(api.origin);
    expect((await fails(api.origin, { maxWaitMs: 0 })).outcome).toBe('rate_limited');
  });

  it('respects what the provider says is left', async () => {
    const api = await serve();
    const clock = new InstantClock();
    const { get } = harness({ clock });
    let left = 3;
    const observeRateLimit: OutgoingCall['observeRateLimit'] = () => ({
      remaining: --left,
      resetAtMs: clock.now() + 30_000,
    });
    for (let time = 0; time < 3; time++) await get(api.origin, { observeRateLimit });
    expect(clock.sleptMs).toEqual([]);
    await get(api.origin);
    expect(clock.sleptMs).toHaveLength(1);
    expect(clock.sleptMs[0]).toBeGreaterThan(29_000);
    const broken = () => {
      throw new Error('unreadable');
    };
    expect((await get(api.origin, { observeRateLimit: broken })).status).toBe(200);
  });

  it('is not paid by requests for a token', async () => {
    const api = await serve();
    const { get } = harness();
    for (let time = 0; time < 5; time++) await get(api.origin, { budgets, operation: 'token', maxWaitMs: 0 });
    expect(api.seen).toHaveLength(5);
  });
});

describe('fetch', () => {
  it('gives any answer as a Response, and is recorded as operation token', async () => {
    const api = await serve((_request, response, { body }) => {
      response
        .writeHead(400, { 'content-type': 'application/json' })
        .end(JSON.stringify({ error: 'invalid_grant', got: body }));
    });
    const { outgoing, records } = harness();
    const fetchToken = outgoing.fetchFor({ integrationId: 'int_9', operationId: 'op_9' });
    const response = await fetchToken(`${api.origin}/token?x=1`, {
      method: 'POST',
      headers: { authorization: 'Basic abc' },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: 'invalid_grant', got: 'grant_type=client_credentials' });
    expect(api.seen[0]!.headers).toMatchObject({
      authorization: 'Basic abc',
      'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
    });
    expect(records).toEqual([
      expect.objectContaining({
        integrationId: 'int_9',
        operationId: 'op_9',
        operation: 'token',
        path: '/token',
        status: 400,
        outcome: 'invalid_request',
      }),
    ]);
  });

  it('is guarded like every call', async () => {
    const api = await serve((_request, response) => response.writeHead(302, { location: 'http://10.0.0.1/' }).end());
    const { outgoing } = harness();
    const guarded = outgoing.fetchFor({ integrationId: 'int_9', operationId: 'op_9' });
    await expect(guarded('http://169.254.169.254/latest/')).rejects.toMatchObject({ outcome: 'blocked' });
    await expect(guarded(api.origin)).rejects.toMatchObject({ outcome: 'blocked' });
    await expect(guarded(api.origin, { redirect: 'error' })).rejects.toMatchObject({ outcome: 'bad_response' });
    expect((await guarded(api.origin, { redirect: 'manual' })).status).toBe(302);
    await expect(guarded(api.origin, { signal: AbortSignal.abort() })).rejects.toMatchObject({ outcome: 'aborted' });
  });
});
