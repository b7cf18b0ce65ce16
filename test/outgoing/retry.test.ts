import { describe, expect, it, onTestFinished } from 'vitest';
import type { Outcome } from '../../src/outgoing/types.ts';
import { InstantClock, makeHarness, resolveFrom } from './support/harness.ts';
import { closedPort, serve } from './support/servers.ts';

const FOUR = { maxAttempts: 4, baseDelayMs: 100, maxDelayMs: 10_000, maxRetryAfterMs: 60_000 };

function harness(random = () => 1) {
  const clock = new InstantClock();
  const made = makeHarness({ clock, random, resolve: resolveFrom({}) });
  onTestFinished(() => made.outgoing.close());
  return { ...made, clock };
}

/** Answers with each status in turn, and with the last one from then on. */
function serveStatuses(statuses: readonly number[], headers: Record<string, string> = {}) {
  let next = 0;
  return serve((_request, response) => {
    const status = statuses[Math.min(next++, statuses.length - 1)]!;
    response.writeHead(status, status === 200 ? {} : headers).end();
  });
}

describe('a failed attempt', () => {
  it('is made again after growing waits, until one succeeds', async () => {
    const api = await serveStatuses([500, 503, 502, 200]);
    const { get, clock, records } = harness();
    expect(await get(api.origin, { retry: FOUR })).toMatchObject({ status: 200, attempts: 4 });
    expect(clock.sleptMs).toEqual([100, 200, 400]);
    expect(records.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      [1, 'provider_error'],
      [2, 'provider_error'],
      [3, 'provider_error'],
      [4, 'success'],
    ]);
    for (const [index, waitedMs] of [0, 100, 200, 400].entries()) {
      expect(records[index]!.waitMs).toBeGreaterThanOrEqual(waitedMs);
    }
  });

  it('is made no more often than allowed, and the waits have a ceiling', async () => {
    const api = await serveStatuses([500]);
    const { fails, clock } = harness();
    const error = await fails(api.origin, { retry: { ...FOUR, maxAttempts: 5, maxDelayMs: 250 } });
    expect(error).toMatchObject({ outcome: 'provider_error', status: 500, attempts: 5 });
    expect(clock.sleptMs).toEqual([100, 200, 250, 250]);
  });

  it('waits a share of the ceiling that is drawn anew each time (full jitter)', async () => {
    const draws = [0, 0.25, 0.999];
    const api = await serveStatuses([500, 500, 500, 200]);
    const { get, clock } = harness(() => draws.shift()!);
    await get(api.origin, { retry: FOUR });
    expect(clock.sleptMs).toEqual([0, 50, 399.6]);
  });

  it.each([400, 401, 403, 404, 410, 422, 501])('with status %i is not made again', async (status) => {
    const api = await serveStatuses([status]);
    const error = await harness().fails(api.origin, { retry: FOUR });
    expect(error).toMatchObject({ status, attempts: 1 });
  });

  it.each<[number, Outcome]>([
    [200, 'success'],
    [204, 'success'],
    [304, 'success'],
    [300, 'bad_response'],
    [400, 'invalid_request'],
    [401, 'wrong_credentials'],
    [403, 'missing_scope'],
    [404, 'not_found'],
    [408, 'timeout'],
    [410, 'not_found'],
    [418, 'invalid_request'],
    [429, 'rate_limited'],
    [500, 'provider_error'],
    [599, 'provider_error'],
  ])('with status %i is %s when the call has no classifier', async (status, outcome) => {
    const api = await serveStatuses([status]);
    const { outgoing, call, records } = harness();
    await outgoing.send(call(api.origin)).catch(() => {});
    expect(records[0]).toMatchObject({ status, outcome });
  });

  it('of a POST that the provider may have seen is not made again, unless the call says it may be', async () => {
    const api = await serveStatuses([500]);
    const { fails } = harness();
    expect(await fails(api.origin, { method: 'POST', retry: FOUR })).toMatchObject({ attempts: 1 });
    expect(await fails(api.origin, { method: 'POST', retry: FOUR, idempotent: true })).toMatchObject({ attempts: 4 });
    expect(await fails(api.origin, { method: 'DELETE', retry: FOUR, integrationId: 'int_3' })).toMatchObject({
      attempts: 1,
    });
    const silent = await serve((request) => request.socket.destroy());
    expect(await fails(silent.origin, { method: 'POST', retry: FOUR, integrationId: 'int_2' })).toMatchObject({
      outcome: 'unreachable',
      attempts: 1,
    });
  });

  it('of a POST that the provider has not seen is made again', async () => {
    const { fails } = harness();
    const refusing = `http://127.0.0.1:${await closedPort()}/`;
    expect(await fails(refusing, { method: 'POST', retry: FOUR })).toMatchObject({
      outcome: 'unreachable',
      attempts: 4,
    });
    const unknown = { method: 'POST', retry: FOUR, integrationId: 'int_2' };
    expect(await fails('http://nowhere.example/', unknown)).toMatchObject({ outcome: 'dns_error', attempts: 4 });
  });

  it('is not made again once the call is cancelled in the wait', async () => {
    const api = await serveStatuses([500]);
    const stop = new AbortController();
    const { fails } = makeHarness();
    const failing = fails(api.origin, { retry: { ...FOUR, baseDelayMs: 60_000 }, signal: stop.signal });
    await expect.poll(() => api.seen.length).toBe(1);
    stop.abort();
    expect(await failing).toMatchObject({ outcome: 'aborted', attempts: 1 });
  });
});

describe('a wait that the provider asks for', () => {
  it('is never cut short, and a little is added so that not all come back at once', async () => {
    const api = await serveStatuses([429, 503, 200], { 'retry-after': '7' });
    const { get, clock } = harness(() => 0.5);
    await get(api.origin, { retry: FOUR });
    expect(clock.sleptMs.filter((ms) => ms > 0)).toEqual([7_050, 7_050]);
  });

  it('as a date is kept too', async () => {
    const { get, clock } = harness(() => 0);
    const api = await serve((_request, response) => {
      if (api.seen.length > 1) response.end();
      else response.writeHead(429, { 'retry-after': new Date(clock.now() + 20_000).toUTCString() }).end();
    });
    await get(api.origin, { retry: FOUR });
    expect(clock.sleptMs[0]).toBeGreaterThan(10_000);
    expect(clock.sleptMs[0]).toBeLessThanOrEqual(20_000);
  });

  it('that is too long is not waited for, and told', async () => {
    const api = await serveStatuses([429], { 'retry-after': '61' });
    const { fails, clock } = harness();
    expect(await fails(api.origin, { retry: FOUR })).toMatchObject({
      outcome: 'rate_limited',
      attempts: 1,
      retryAfterMs: 61_000,
    });
    expect(clock.sleptMs).toEqual([]);
    // The integration's other calls know it without asking the provider again.
    expect(await fails(api.origin, { maxWaitMs: 1_000 })).toMatchObject({ outcome: 'rate_limited', attempts: 0 });
    expect(api.seen).toHaveLength(1);
  });

  it('counts as the classifier reads it, when that does', async () => {
    const api = await serveStatuses([200, 200], { 'retry-after': '9999' });
    const { get, clock } = harness(() => 0);
    let asked = 0;
    await get(api.origin, {
      retry: FOUR,
      classify: () =>
        asked++ === 0
          ? { outcome: 'rate_limited', retryable: true, retryAfterMs: 3_000 }
          : { outcome: 'success', retryable: false },
    });
    expect(clock.sleptMs[0]).toBe(3_000);
  });

  it('that makes no sense is ignored', async () => {
    const api = await serveStatuses([429, 200], { 'retry-after': '-5' });
    const { get, clock } = harness();
    await get(api.origin, { retry: FOUR });
    expect(clock.sleptMs).toEqual([100]);
  });
});

describe('the retry budget', () => {
  it('keeps the retries of a failing integration to a tenth of its calls and ten more', async () => {
    // Failures of a single item, so that the breaker stays out of it.
    const api = await serve((_request, response, { url }) => response.writeHead(url === '/bad' ? 500 : 200).end());
    const { fails, get, records } = harness(() => 0);
    let messages = 0;
    for (let round = 0; round < 100; round++) {
      const error = await fails(`${api.origin}/bad`, { retry: { ...FOUR, maxAttempts: 2 } });
      if (error.message.includes('too many calls of the integration fail')) messages += 1;
      await get(`${api.origin}/good`);
    }
    const retries = records.filter(({ attempt }) => attempt > 1).length;
    // 200 calls earn 20; 10 are there from the start; time earns one in ten seconds.
    expect(retries).toBeGreaterThanOrEqual(29);
    expect(retries).toBeLessThanOrEqual(35);
    expect(messages).toBe(100 - retries);
    // Another integration has its own.
    const other = await fails(`${api.origin}/bad`, { integrationId: 'int_2', retry: { ...FOUR, maxAttempts: 2 } });
    expect(other.attempts).toBe(2);
  });

  it('is not spent by coming back when told to', async () => {
    const api = await serve((_request, response) => {
      if (api.seen.length % 2 === 0) response.end();
      else response.writeHead(429, { 'retry-after': '1' }).end();
    });
    const { get, records } = harness(() => 0);
    for (let round = 0; round < 50; round++) await get(api.origin, { retry: FOUR });
    expect(records).toHaveLength(100);
  });
});
