import { describe } from 'vitest';
import { RedisLimitStore } from '../../src/rateLimits/redisLimitStore.ts';
import { findRedis, REDIS_URL } from '../support/redis.ts';
import { describeLimitStore } from './support/limitStoreContract.ts';
import { describeSharedStore } from './support/sharedStoreContract.ts';
import { asStoreUnderTest } from './support/storeUnderTest.ts';

describe.skipIf(!(await findRedis()))('Redis', () => {
  describeLimitStore(
    'Redis',
    async (clock) => asStoreUnderTest(new RedisLimitStore({ url: REDIS_URL, timeMs: () => clock.now() })),
    60,
  );
  describeSharedStore('Redis', (timeMs) => new RedisLimitStore({ url: REDIS_URL, timeMs }), 60);
});
