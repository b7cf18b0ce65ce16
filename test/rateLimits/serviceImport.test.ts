import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { useTestDatabase } from '../support/database.ts';

const database = useTestDatabase();

// The example of the specification, in a program that closes nothing and has to end by itself.
const PROGRAM = `
const { rateLimitingService } = await import(${JSON.stringify(resolve('src/services/rateLimitingService.ts'))});
const before = rateLimitingService.getRateLimitStats();
const first = await rateLimitingService.checkRateLimit('integration-123', 'api_call');
await rateLimitingService.adjustRateLimit('integration-123', 'api_call', { maxRequests: 200, windowSize: 120000 });
const second = await rateLimitingService.checkRateLimit('integration-123', 'api_call');
rateLimitingService.clearRateLimits('integration-123');
const third = await rateLimitingService.checkRateLimit('integration-123', 'api_call');
const { totalChecks } = rateLimitingService.getRateLimitStats('integration-123');
console.log(JSON.stringify([before.totalChecks, first.remaining, second.limit, second.remaining, third.remaining, totalChecks]));
`;

// What returns nothing cannot tell that the database is away; the next call does.
const WITHOUT_DATABASE = `
const { rateLimitingService } = await import(${JSON.stringify(resolve('src/services/rateLimitingService.ts'))});
rateLimitingService.clearRateLimits('integration-123');
await rateLimitingService.checkRateLimit('integration-123', 'api_call').catch((error) => console.log(error.code));
`;

it('a program that clears limits while the database is away hears of it at the next check, and goes on', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rate-limits-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const variables = { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none', DATA_DIR: folder, NODE_ENV: 'test' };
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', WITHOUT_DATABASE], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, ...variables },
    encoding: 'utf8',
    timeout: 30_000,
  });
  expect(output).toBe('UNAVAILABLE\n');
});

it('works as documented from the import path', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rate-limits-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, NODE_ENV: 'test', DATABASE_URL: database.url, DATA_DIR: folder },
    encoding: 'utf8',
    timeout: 30_000,
  });
  expect(JSON.parse(output)).toEqual([0, 99, 200, 198, 199, 1]);
});
