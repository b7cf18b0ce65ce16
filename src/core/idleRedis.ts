import type { Redis } from 'ioredis';

/** What ioredis keeps, but does not declare. */
interface Reconnecting {
  readonly reconnectTimeout: NodeJS.Timeout | null;
}

/**
 * A connection that is idle, or waits to be made again, does not keep a program running that has nothing else to do.
 * Commands under way do, if they have a `commandTimeout`.
 */
export function letProgramsEnd(redis: Redis): void {
  // Not on 'connect': until it is ready, nothing else would hold a program that waits for its first command.
  redis.on('ready', () => redis.stream.unref());
  redis.on('reconnecting', () => (redis as unknown as Reconnecting).reconnectTimeout?.unref());
}
