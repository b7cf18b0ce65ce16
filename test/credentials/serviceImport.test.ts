import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';

const SERVICE = new URL('../../src/services/credentialEncryption.ts', import.meta.url).href;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'credential-encryption-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `body` with CredentialEncryption imported, in a process whose data folder is `folder`/data. */
async function run(body: string, environment: Record<string, string> = {}): Promise<unknown> {
  const program = join(folder, 'program.mjs');
  writeFileSync(
    program,
    `import { CredentialEncryption } from ${JSON.stringify(SERVICE)};
     const show = (value) => process.stdout.write(JSON.stringify(value));
     ${body}`,
  );
  const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', program], {
    cwd: folder,
    env: { DATA_DIR: join(folder, 'data'), ...environment },
  });
  return stdout === '' ? undefined : JSON.parse(stdout);
}

it('does nothing when it is imported, also where the configuration is wrong', async () => {
  const wrong = { ENCRYPTION_SECRET: 'short', PORT: 'none' };
  expect(await run('show(typeof CredentialEncryption.encrypt)', wrong)).toBe('function');
  expect(existsSync(join(folder, 'data'))).toBe(false);
});

it('keeps a generated secret in the data folder, so that another process can decrypt', async () => {
  const encrypted = await run(`show(await CredentialEncryption.encrypt({ apiKey: 'k1' }, 'user-123'))`);
  expect(statSync(join(folder, 'data/secrets/encryption-secret')).mode & 0o777).toBe(0o600);
  const decrypt = `show(await CredentialEncryption.decrypt(${JSON.stringify(encrypted)}, 'user-123'))`;
  expect(await run(decrypt)).toEqual({ apiKey: 'k1' });
});

it('uses ENCRYPTION_SECRET', async () => {
  const environment = { ENCRYPTION_SECRET: 'the secret of the environment, long enough' };
  const encrypted = await run(`show(await CredentialEncryption.encrypt({ apiKey: 'k1' }, 'user-123'))`, environment);
  const decrypt = `show(await CredentialEncryption.decrypt(${JSON.stringify(encrypted)}, 'user-123').catch((error) => error.code))`;
  expect(await run(decrypt, environment)).toEqual({ apiKey: 'k1' });
  expect(await run(decrypt, { ENCRYPTION_SECRET: 'the secret of another environment, long' })).toBe(
    'CREDENTIALS_UNREADABLE',
  );
});

it('says at the first call what is wrong with the configuration, and never the secret', async () => {
  const body = `show(await CredentialEncryption.encrypt({}, 'u').catch((error) => [error.code, error.message]))`;
  const [code, message] = (await run(body, { ENCRYPTION_SECRET: 'short-canary' })) as [string, string];
  expect(code).toBe('INVALID_CONFIGURATION');
  expect(message).toContain('ENCRYPTION_SECRET');
  expect(message).not.toContain('short-canary');
});
