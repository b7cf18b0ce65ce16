import { Redis } from 'ioredis';
import type { Config } from '../../config/config.ts';
import { errorMessage } from '../../core/errors.ts';
import { type Finding, pass, warn } from './finding.ts';

const TIMEOUT_MS = 3_000;

/** Only where REDIS_URL is set. Nothing stops working without it, so a silent one is a warning. */
export async function checkRedis({ redisUrl }: Config): Promise<Finding[]> {
  if (redisUrl === null) return [];
  const where = new URL(redisUrl).host;
  const redis = new Redis(redisUrl, {
    lazyConnect: true,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  // Said by connect() too.
  redis.on('error', () => {});
  try {
    await redis.connect();
    const version = /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? 'unknown';
    return [pass('redis', `${version} (${where})`)];
  } catch (error) {
    return [warn('redis', `${where}: ${errorMessage(error)}`, 'See that it runs, or unset REDIS_URL.')];
  } finally {
    redis.disconnect();
  }
}
