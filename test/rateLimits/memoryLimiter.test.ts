import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLog } from '../../src/core/log.ts';
import { LimitSettings } from '../../src/rateLimits/limitSettings.ts';
import { MemoryLimiter } from '../../src/rateLimits/memoryLimiter.ts';
import { OutgoingBudgets } from '../../src/rateLimits/outgoingBudgets.ts';
import { RateLimitingService } from '../../src/rateLimits/rateLimitingService.ts';
import { ShareChanges } from '../../src/rateLimits/shareChanges.ts';
import { useTestDatabase } from '../support/database.ts';
import { ManualClock } from './manualClock.ts';

const database = useTestDatabase();
const clock = new ManualClock();
let limiter: MemoryLimiter;
let settings: LimitSettings;
let service: RateLimitingService;

beforeAll(() => {
  const audit = { record: async () => {} };
  limiter = new MemoryLimiter({ clock });
  settings = new LimitSettings({ database: database.current, audit, clock, log: silentLog });
  const defaultBudget = { maxRequests: 3, windowMs: 60_000 };
  service = new RateLimitingService({
    limiter,
    settings,
    outgoing: new OutgoingBudgets({ limiter, settings, defaultBudget, clock }),
    defaultBudget,
    clock,
    log: silentLog,
    shareChanges: new ShareChanges({ clock, log: silentLog }),
  });
});
afterAll(async () => {
  await limiter?.close();
  await settings?.close();
});

it('limits calls in memory, by the clock of the process', async () => {
  const allowed = async () => (await service.checkRateLimit('int_1', 'api_call')).allowed;
  expect([await allowed(), await allowed(), await allowed(), await allowed()]).toEqual([true, true, true, false]);
  expect(await service.checkRateLimit('int_1', 'api_call')).toEqual({
    allowed: false,
    limit: 3,
    remaining: 0,
    resetAt: new Date(clock.now() + 60_000).toISOString(),
    retryAfter: 60,
    strategy: 'sliding_window',
    reason: 'The limit of 3 in 60 s (sliding_window) is used up.',
  });
  await clock.advance(59_999);
  expect(await allowed()).toBe(false);
  await clock.advance(1);
  expect(await allowed()).toBe(true);
});

it('keeps what was used when a limit is set, and forgets it when it is cleared', async () => {
  for (let call = 0; call < 3; call++) await service.checkRateLimit('int_2', 'api_call');
  await service.adjustRateLimit('int_2', 'api_call', { maxRequests: 5, strategy: 'token_bucket' });
  expect(await service.checkRateLimit('int_2', 'api_call')).toMatchObject({
    limit: 5,
    remaining: 1,
    strategy: 'token_bucket',
  });
  service.clearRateLimits();
  expect(service.getRateLimitStats()).toMatchObject({ totalChecks: 0, limits: [], changes: [] });
  expect(await service.checkRateLimit('int_2', 'api_call')).toMatchObject({ limit: 5, remaining: 4 });
  expect(service.getRateLimitStats().store).toEqual({ name: 'memory', state: 'ok', lostSince: null, replicas: 1 });
});

it('keeps to the burst limit of a window in any second', async () => {
  const config = { maxRequests: 100, windowSize: 60_000, burstLimit: 10 };
  const count = async () => {
    let allowed = 0;
    for (let call = 0; call < 50; call++) if ((await service.checkRateLimit('int_3', 'x', config)).allowed) allowed++;
    return allowed;
  };
  expect(await count()).toBe(10);
  expect((await service.checkRateLimit('int_3', 'x', config)).reason).toBe(
    'The burst limit of 10 in 1 s (sliding_window) is used up.',
  );
  let total = 10;
  for (let second = 1; second < 15; second++) {
    await clock.advance(1_000);
    total += await count();
  }
  expect(total).toBe(100);
});
