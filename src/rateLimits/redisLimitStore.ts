import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import { letProgramsEnd } from '../core/idleRedis.ts';
import type { Limit } from './limitRule.ts';
import { LIMIT_SCRIPT } from './redisScript.ts';
import type { SharedAnswer, SharedLimitStore, TakeRequest } from './sharedLimitStore.ts';

const SCRIPT_SHA = createHash('sha1').update(LIMIT_SCRIPT).digest('hex');
/** Longest wait for an answer; after it the store counts as lost. */
const DEADLINE_MS = 500;
const MAX_RECONNECT_WAIT_MS = 1_000;

/**
 * Limits in Redis 7 or Valkey: one script a call, by the clock of Redis. What was used is as durable as that Redis is.
 * All keys of a call carry the same `{hash tag}`, so a cluster runs the script too.
 */
export class RedisLimitStore implements SharedLimitStore {
  readonly name = 'redis';
  readonly #redis: Redis;
  readonly #timeMs: (() => number) | undefined;
  #connecting: Promise<void> | undefined;

  /** `timeMs`: a clock in place of that of Redis, for tests. */
  constructor(options: { url: string; timeMs?: () => number }) {
    this.#timeMs = options.timeMs;
    this.#redis = new Redis(options.url, {
      lazyConnect: true,
      connectTimeout: DEADLINE_MS,
      commandTimeout: DEADLINE_MS,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, MAX_RECONNECT_WAIT_MS),
    });
    letProgramsEnd(this.#redis);
    // Every call that fails says it too.
    this.#redis.on('error', () => {});
  }

  async take(limits: readonly Limit[], request: TakeRequest): Promise<SharedAnswer> {
    const { atLeast, atMost, share, leaseMs } = request;
    const answer = (await this.#run('take', [atLeast, atMost, share, leaseMs], limits)) as string[];
    const [granted, remaining, index, resetInMs, waitMs, takenAtMs, validMs] = answer.map(readNumber);
    return {
      granted: granted!,
      remaining: remaining!,
      index: index!,
      resetInMs: resetInMs!,
      waitMs: waitMs!,
      takenAtMs: takenAtMs!,
      validMs: validMs!,
    };
  }

  async giveBack(limits: readonly Limit[], cost: number, takenAtMs: number, leaseMs: number): Promise<void> {
    await this.#run('give', [cost, takenAtMs, leaseMs, 0], limits);
  }

  async charge(limits: readonly Limit[], cost: number): Promise<void> {
    await this.#run('charge', [cost, 0, 0, 0], limits);
  }

  async ping(): Promise<void> {
    await this.#connect();
    await this.#redis.ping();
  }

  async close(): Promise<void> {
    this.#redis.disconnect();
  }

  async #run(operation: string, numbers: readonly number[], limits: readonly Limit[]): Promise<unknown> {
    await this.#connect();
    const keys = limits.map(({ key }) => key);
    const rules = limits.flatMap(({ rule }) => [rule.strategy, rule.limit, rule.windowMs, rule.capacity]);
    const time = this.#timeMs?.() ?? '';
    const rest = [...keys, operation, time, ...numbers, ...rules];
    try {
      return await this.#redis.evalsha(SCRIPT_SHA, keys.length, ...rest);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return this.#redis.eval(LIMIT_SCRIPT, keys.length, ...rest);
    }
  }

  /** Waits for the first connection; later ones are made in the background. */
  #connect(): Promise<void> {
    // One that fails is tried again by the client itself, so only the first callers have to wait for it.
    this.#connecting ??= this.#redis.connect().catch(() => {});
    return this.#connecting;
  }
}

function readNumber(text: string): number {
  return text === 'inf' ? Number.POSITIVE_INFINITY : Number(text);
}
