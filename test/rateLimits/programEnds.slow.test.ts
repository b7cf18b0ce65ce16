import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { useTestDatabase } from '../support/database.ts';
import { useDataDirs } from '../support/dataDir.ts';
import { findRedis, REDIS_URL } from '../support/redis.ts';

const database = useTestDatabase();
const makeDataDir = useDataDirs();

const ONE_CHECK = `
const { rateLimitingService } = await import(${JSON.stringify(resolve('src/services/rateLimitingService.ts'))});
const { allowed } = await rateLimitingService.checkRateLimit('integration-123', 'post', { maxRequests: 10 });
console.log(allowed, rateLimitingService.getRateLimitStats().store.state);
`;

it.skipIf(!(await findRedis()))('a program ends by itself with an idle connection to Redis', () => {
  expect(run({ REDIS_URL })).toBe('true ok\n');
});

it('a program ends by itself while Redis cannot be reached', () => {
  expect(run({ REDIS_URL: 'redis://127.0.0.1:1' })).toBe('true lost\n');
});

/** What a program prints that closes nothing. */
function run(variables: Record<string, string>): string {
  const env = {
    PATH: process.env.PATH,
    NODE_ENV: 'test',
    DATABASE_URL: database.url,
    DATA_DIR: makeDataDir(),
    ENCRYPTION_SECRET: 'of-all-programs-on-this-database-0123456789',
  };
  return execFileSync(process.execPath, ['--input-type=module', '--eval', ONE_CHECK], {
    env: { ...env, ...variables },
    encoding: 'utf8',
    timeout: 60_000,
  });
}
