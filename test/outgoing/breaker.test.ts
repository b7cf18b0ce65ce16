import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { CircuitBreakers, CircuitOpenError } from '../../src/outgoing/breaker.ts';
import type { Outcome } from '../../src/outgoing/types.ts';
import { makeHarness } from './support/harness.ts';
import { serve } from './support/servers.ts';

// cockatiel reads the wall clock.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_700_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});
const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);

const FAILING: Outcome[] = ['provider_error', 'timeout', 'unreachable', 'tls_error', 'dns_error'];
const WORKING: Outcome[] = [
  'success',
  'wrong_credentials',
  'missing_scope',
  'rate_limited',
  'not_found',
  'invalid_request',
  'bad_response',
  'response_too_large',
];

function make() {
  const breakers = new CircuitBreakers();
  const run = (outcome: Outcome, id = 'int_1') => breakers.run(id, async () => ({ outcome }));
  const open = async () => {
    for (let time = 0; time < 5; time++) await run('provider_error');
    expect(breakers.state('int_1')).toBe('open');
  };
  return { breakers, run, open };
}

describe('the circuit', () => {
  it.each(FAILING)('opens after five attempts in a row that end in %s', async (outcome) => {
    const { breakers, run } = make();
    for (let time = 0; time < 4; time++) await run(outcome);
    expect(breakers.state('int_1')).toBe('closed');
    expect(await run(outcome)).toEqual({ outcome });
    expect(breakers.state('int_1')).toBe('open');
    const error = await run('success').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CircuitOpenError);
    expect((error as CircuitOpenError).retryAfterMs).toBe(10_000);
    expect(breakers.state('int_2')).toBe('closed');
  });

  it.each(WORKING)('is not opened by %s, which shows that the provider answers', async (outcome) => {
    const { breakers, run } = make();
    for (let time = 0; time < 20; time++) await run(outcome);
    expect(breakers.state('int_1')).toBe('closed');
    for (let time = 0; time < 4; time++) await run('timeout');
    await run(outcome);
    for (let time = 0; time < 4; time++) await run('timeout');
    expect(breakers.state('int_1')).toBe('closed');
  });

  it('learns nothing from what was decided on our side', async () => {
    const { breakers, run } = make();
    for (let time = 0; time < 4; time++) await run('timeout');
    for (const outcome of ['aborted', 'blocked'] as const) expect(await run(outcome)).toEqual({ outcome });
    const failed = breakers.run('int_1', async () => {
      throw new RangeError('ours');
    });
    await expect(failed).rejects.toThrow(RangeError);
    expect(breakers.state('int_1')).toBe('closed');
    await run('timeout');
    expect(breakers.state('int_1')).toBe('open');
  });

  it('lets one probe through after the pause, and nobody beside it', async () => {
    const { breakers, run, open } = make();
    await open();
    pass(9_999);
    await expect(run('success')).rejects.toThrow(CircuitOpenError);
    pass(1);
    let answer: (result: { outcome: Outcome }) => void = () => {};
    const probe = breakers.run(
      'int_1',
      () =>
        new Promise<{ outcome: Outcome }>((resolve) => {
          answer = resolve;
        }),
    );
    expect(breakers.state('int_1')).toBe('half_open');
    for (let time = 0; time < 10; time++) await expect(run('success')).rejects.toThrow(CircuitOpenError);
    answer({ outcome: 'success' });
    await probe;
    expect(breakers.state('int_1')).toBe('closed');
    await run('success');
  });

  it('doubles the pause each time the probe fails, up to five minutes', async () => {
    const { breakers, run, open } = make();
    await open();
    for (const pauseMs of [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]) {
      pass(pauseMs - 1);
      await expect(run('success')).rejects.toThrow(CircuitOpenError);
      pass(1);
      await run('unreachable');
      expect(breakers.state('int_1')).toBe('open');
    }
    pass(300_000);
    await run('not_found');
    expect(breakers.state('int_1')).toBe('closed');
  });

  it.each<[string, () => Promise<{ outcome: Outcome }>]>([
    ['is cancelled', async () => ({ outcome: 'aborted' })],
    ['throws', async () => Promise.reject(new Error('no token'))],
  ])('stays open when the probe %s', async (_name, attempt) => {
    const { breakers, open } = make();
    await open();
    pass(10_000);
    await breakers.run('int_1', attempt).catch(() => {});
    expect(breakers.state('int_1')).toBe('open');
  });

  it('lets a person try at any time, closes if it works, and stays open if it does not', async () => {
    const { breakers, open } = make();
    await open();
    expect(await breakers.run('int_1', async () => ({ outcome: 'timeout' as const }), true)).toEqual({
      outcome: 'timeout',
    });
    expect(breakers.state('int_1')).toBe('open');
    await breakers.run('int_1', async () => ({ outcome: 'success' as const }), true);
    expect(breakers.state('int_1')).toBe('closed');
  });

  it('is forgotten on request, and bounded in number', async () => {
    const { breakers, run, open } = make();
    await open();
    breakers.forget('int_1');
    expect(breakers.state('int_1')).toBe('closed');
    await open();
    for (let index = 0; index < 10_000; index++) await run('success', `other_${index}`);
    expect(breakers.state('int_1')).toBe('closed');
  });
});

describe('the pipeline', () => {
  it('stops calling a provider that is down, and starts again by itself', async () => {
    let status = 500;
    const api = await serve((_request, response) => response.writeHead(status).end());
    const { fails, get, outgoing, records } = makeHarness();
    onTestFinished(() => outgoing.close());
    for (let time = 0; time < 5; time++) await fails(api.origin);
    expect(outgoing.breakerState('int_test')).toBe('open');
    const error = await fails(api.origin);
    expect(error).toMatchObject({ outcome: 'circuit_open', attempts: 0, retryAfterMs: 10_000 });
    expect(api.seen).toHaveLength(5);
    expect(records).toHaveLength(5);
    // Others go on.
    expect(await fails(api.origin, { integrationId: 'int_other' })).toMatchObject({ outcome: 'provider_error' });
    status = 200;
    pass(10_000);
    expect((await get(api.origin)).status).toBe(200);
    expect(outgoing.breakerState('int_test')).toBe('closed');
  });

  it('ends a call with its own failure when the circuit opens in the middle of it', async () => {
    const api = await serve((_request, response) => response.writeHead(503).end());
    const { fails, outgoing } = makeHarness({ random: () => 0 });
    onTestFinished(() => outgoing.close());
    const error = await fails(api.origin, { retry: { maxAttempts: 9 } });
    expect(error).toMatchObject({ outcome: 'provider_error', status: 503, attempts: 5 });
  });

  it('takes nothing from the rate budget while the circuit is open', async () => {
    const api = await serve((_request, response) => response.writeHead(500).end());
    const { fails, outgoing } = makeHarness();
    onTestFinished(() => outgoing.close());
    const budgets = [{ maxRequests: 6, windowMs: 3_600_000 }];
    for (let time = 0; time < 5; time++) await fails(api.origin, { budgets });
    for (let time = 0; time < 20; time++) expect((await fails(api.origin, { budgets })).outcome).toBe('circuit_open');
    outgoing.resetBreaker('int_test');
    expect((await fails(api.origin, { budgets })).outcome).toBe('provider_error');
    expect((await fails(api.origin, { budgets, maxWaitMs: 0 })).outcome).toBe('rate_limited');
  });

  it('makes the calls for a token in the middle of a probe', async () => {
    const api = await serve((_request, response) => response.writeHead(api.seen.length <= 5 ? 500 : 200).end());
    const { fails, get, outgoing, call } = makeHarness();
    onTestFinished(() => outgoing.close());
    for (let time = 0; time < 5; time++) await fails(api.origin);
    pass(10_000);
    await get(api.origin, {
      authenticator: {
        origins: [api.origin],
        apply: async () => {
          await outgoing.send(call(`${api.origin}/token`, { operation: 'token', method: 'POST' }));
        },
      },
    });
    expect(outgoing.breakerState('int_test')).toBe('closed');
  });
});
