import { Redis } from 'ioredis';

/** The Redis of the machine that stores of limits are tested on. */
export const REDIS_URL = process.env.TEST_REDIS_URL ?? process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';

/** Whether it answers. With REQUIRE_SERVICES set its absence is an error. */
export async function findRedis(): Promise<boolean> {
  const redis = new Redis(REDIS_URL, { lazyConnect: true, connectTimeout: 2_000, retryStrategy: () => null });
  redis.on('error', () => {});
  try {
    await redis.connect();
    return true;
  } catch (cause) {
    if (!process.env.REQUIRE_SERVICES && !process.env.TEST_REDIS_URL) return false;
    throw new Error('The Redis for the tests does not answer; set TEST_REDIS_URL.', { cause });
  } finally {
    redis.disconnect();
  }
}
