import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, type AppOptions, openApp } from '../../src/app.ts';
import { makeConfig } from '../../src/config/config.ts';

/** The whole product on a test's database, with loopback allowed as a target. */
export async function openTestApp(
  databaseUrl: string,
  options: Omit<AppOptions, 'config'> & { environment?: Record<string, string> } = {},
): Promise<App> {
  const dataDir = mkdtempSync(join(tmpdir(), 'integration-services-test-'));
  const config = makeConfig({
    NODE_ENV: 'test',
    DATABASE_URL: databaseUrl,
    DATA_DIR: dataDir,
    PORT: '0',
    ENCRYPTION_SECRET: 'a-secret-for-tests-only-0123456789abcdef',
    JWT_SECRET: 'another-secret-for-tests-0123456789abcdef',
    API_KEY: 'isk_test_0123456789abcdef0123456789abcdef',
    ALLOWED_PRIVATE_HOSTS: '127.0.0.1',
    DEFAULT_RATE_LIMIT: '100000',
    API_RATE_LIMIT: '1000000',
    ...options.environment,
  });
  const { environment: _environment, ...rest } = options;
  const app = await openApp({ config, ...rest });
  return {
    ...app,
    close: async () => {
      await app.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
