// node measure.ts <subject> <keys | key limit>: one measurement of bench/rateLimits.ts; prints JSON.

import { Redis } from 'ioredis';
import { TokenBucket } from 'limiter';
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import { systemClock } from '../../src/core/clock.ts';
import { silentLog } from '../../src/core/log.ts';
import type { LimitPlan } from '../../src/rateLimits/limitPlan.ts';
import type { LimitRule } from '../../src/rateLimits/limitRule.ts';
import { LimitSettings } from '../../src/rateLimits/limitSettings.ts';
import { MemoryLimiter } from '../../src/rateLimits/memoryLimiter.ts';
import { MemoryLimitStore } from '../../src/rateLimits/memoryLimitStore.ts';
import { OutgoingBudgets } from '../../src/rateLimits/outgoingBudgets.ts';
import { RateLimitingService } from '../../src/rateLimits/rateLimitingService.ts';
import { RedisLimitStore } from '../../src/rateLimits/redisLimitStore.ts';
import { ShareChanges } from '../../src/rateLimits/shareChanges.ts';
import { SharedLimiter } from '../../src/rateLimits/sharedLimiter.ts';

const REDIS_URL = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';
const ROUNDS = 1_000_000;
const REDIS_SECONDS = 5;
const CONCURRENCY = 64;
const BATCH = 1_000;

type Check = (key: string) => unknown;
const bucketRule = (limit: number): LimitRule => ({
  strategy: 'token_bucket',
  limit,
  windowMs: 60_000,
  capacity: limit,
});

/** The least that a token bucket can do. */
function bareBucket(limit: number): Check {
  const buckets = new Map<string, { tokens: number; atMs: number }>();
  return (key) => {
    const nowMs = performance.now();
    let bucket = buckets.get(key);
    if (bucket === undefined) {
      bucket = { tokens: limit, atMs: nowMs };
      buckets.set(key, bucket);
    }
    bucket.tokens = Math.min(limit, bucket.tokens + ((nowMs - bucket.atMs) * limit) / 60_000);
    bucket.atMs = nowMs;
    if (bucket.tokens < 1) return { allowed: false, remaining: 0 };
    bucket.tokens -= 1;
    return { allowed: true, remaining: Math.floor(bucket.tokens) };
  };
}

function ours(limit: number): Check {
  const store = new MemoryLimitStore({ clock: systemClock });
  const rule = bucketRule(limit);
  return (key) => store.take([{ key, rule }], 1);
}

/** Everything that a caller of the service waits for; what was set is as good as read. */
function service(action: string, limit: number): Check {
  const settings = Object.create(LimitSettings.prototype, {
    open: { value: async () => {} },
    revision: { value: 0 },
    ruleOf: { value: () => undefined },
    generationOf: { value: () => 0 },
  }) as LimitSettings;
  const defaultBudget = { maxRequests: limit, windowMs: 60_000 };
  const memory = new MemoryLimiter({ clock: systemClock });
  const limits = new RateLimitingService({
    limiter: memory,
    settings,
    outgoing: new OutgoingBudgets({ limiter: memory, settings, defaultBudget, clock: systemClock }),
    defaultBudget,
    clock: systemClock,
    log: silentLog,
    shareChanges: new ShareChanges({ clock: systemClock, log: silentLog }),
  });
  return (key) => limits.checkRateLimit(key, action);
}

function limiter(limit: number): Check {
  const buckets = new Map<string, TokenBucket>();
  return (key) => {
    let bucket = buckets.get(key);
    if (bucket === undefined) {
      bucket = new TokenBucket({ bucketSize: limit, tokensPerInterval: limit, interval: 60_000 });
      bucket.content = limit;
      buckets.set(key, bucket);
    }
    return bucket.tryRemoveTokens(1);
  };
}

function flexible(limit: number): Check {
  const limits = new RateLimiterMemory({ points: limit, duration: 60 });
  return (key) => limits.consume(key).catch(() => {});
}

const SUBJECTS: Record<string, () => Check> = {
  bareBucket: () => bareBucket(1e9),
  ours: () => ours(1e9),
  service: () => service('export', 1e9),
  outgoing: () => service('api_call', 1e9),
  limiter: () => limiter(1e9),
  rateLimiterFlexible: () => flexible(1e9),
  refusedByFlexible: () => flexible(1),
  refusedByOurs: () => ours(1),
};

async function measureCpu(check: Check, keyCount: number): Promise<object> {
  const keys = Array.from({ length: keyCount }, (_, index) => `integration-${index}:api_call`);
  const round = async (calls: number) => {
    for (let call = 0; call < calls; call++) {
      // Far apart, as those of many callers are.
      const result = check(keys[(call * 7_919) % keyCount]!);
      if (result instanceof Promise) await result;
    }
  };
  await round(Math.max(keyCount * 2, 200_000));
  const before = process.cpuUsage();
  await round(ROUNDS);
  const { user, system } = process.cpuUsage(before);
  return { cpuNs: Math.round(((user + system) * 1_000) / ROUNDS) };
}

function measureMemory(keyCount: number): object {
  globalThis.gc!();
  const before = process.memoryUsage();
  const store = new MemoryLimitStore({ clock: systemClock });
  // An hour until it is idle, so that all are remembered.
  const rule: LimitRule = { strategy: 'sliding_window', limit: 10, windowMs: 3_600_000, capacity: 10 };
  for (let key = 0; key < keyCount; key++) store.take([{ key: `integration-${key}:api_call`, rule }], 1);
  globalThis.gc!();
  const after = process.memoryUsage();
  const bytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  return { keys: store.size, MB: Math.round(bytes / 1e6), bytesPerKey: Math.round(bytes / store.size) };
}

async function measureLeased(key: string, limit: number): Promise<object> {
  const store = new RedisLimitStore({ url: REDIS_URL });
  const limits = new SharedLimiter({ store, clock: systemClock, log: silentLog, replicas: () => 4 });
  const rule = { strategy: 'sliding_window', limit, windowMs: 86_400_000, capacity: limit } as const;
  const plan: LimitPlan = { id: key, limits: [{ key, rule }] };
  let [checks, admitted, refusedInARow] = [0, 0, 0];
  const started = performance.now();
  let lastAdmitted = started;
  // What others still hold comes back within two leases.
  while (refusedInARow === 0 || performance.now() - lastAdmitted < 2_500) {
    const asked = limits.take(plan, 1);
    const { granted } = asked instanceof Promise ? await asked : asked;
    checks += 1;
    admitted += granted;
    if (granted === 1) refusedInARow = 0;
    else if (refusedInARow++ === 0) lastAdmitted = performance.now();
    if (refusedInARow > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    else if (checks % BATCH === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const seconds = (lastAdmitted - started) / 1_000;
  await limits.close();
  return { checks, admitted, seconds };
}

async function measureRedis(key: string, limit: number): Promise<object> {
  const redis = new Redis(REDIS_URL, { enableOfflineQueue: false, lazyConnect: true });
  await redis.connect();
  const limits = new RateLimiterRedis({ storeClient: redis, points: limit, duration: 86_400 });
  let [checks, admitted] = [0, 0];
  const started = performance.now();
  const callOften = async () => {
    while (performance.now() - started < REDIS_SECONDS * 1_000) {
      await limits.consume(key);
      checks += 1;
      admitted += 1;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, callOften));
  redis.disconnect();
  return { checks, admitted, seconds: REDIS_SECONDS };
}

const [subject = '', first = '', second = ''] = process.argv.slice(2);
const measured =
  subject === 'memory'
    ? measureMemory(Number(first))
    : subject === 'leased'
      ? await measureLeased(first, Number(second))
      : subject === 'rateLimiterRedis'
        ? await measureRedis(first, Number(second))
        : await measureCpu(SUBJECTS[subject]!(), Number(first));
console.log(JSON.stringify(measured));
process.exit(0);
