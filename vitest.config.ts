import { globSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { findServer } from './test/support/server.ts';

const suffix = process.env.TEST_SLOW ? 'slow.test.ts' : 'test.ts';
const slow = process.env.TEST_SLOW ? [] : ['**/*.slow.test.ts'];
// Far above what a test takes by itself: a busy machine must not fail one.
const timeoutMs = process.env.TEST_SLOW ? 600_000 : 180_000;

/** What the slow run does a second time, on the PostgreSQL server of the machine: where engine and version could matter. */
const SERVER_FILES = process.env.TEST_SLOW
  ? [
      'test/{store,jobs,credentials,sync,rateLimits}/**/*.test.ts',
      'test/{logging,monitoring,performance/store}/**/!(*.slow).test.ts',
    ]
  : [];

/** What needs no database would only run the same again; and of the embedded server itself there is only one. */
function asksForDatabase(path: string): boolean {
  return /useTestDatabase|inject\(/.test(readFileSync(path, 'utf8')) && !path.includes('embedded');
}

export default defineConfig({
  test: {
    pool: 'forks',
    // A process runs many files, which saves it from loading the product for each of them. The slow run has time for that.
    isolate: process.env.TEST_SLOW !== undefined,
    // More than processors: much of the time is spent waiting for what was killed to come back.
    maxWorkers: 3,
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    globalSetup: ['test/support/globalSetup.ts'],
    setupFiles: ['test/support/freshFile.ts'],
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text-summary', 'html', 'lcov'] },
    projects: [
      { extends: true, test: { name: 'embedded', include: [`test/**/*.${suffix}`], exclude: slow } },
      ...(SERVER_FILES.length > 0 && (await findServer())
        ? [
            {
              extends: true as const,
              test: {
                name: 'server',
                include: globSync(SERVER_FILES).filter(asksForDatabase),
                exclude: slow,
              },
            },
          ]
        : []),
    ],
  },
});
