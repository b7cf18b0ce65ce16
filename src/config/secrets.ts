import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from './config.ts';

export interface Secrets {
  readonly encryptionSecret: string;
  readonly jwtSecret: string;
  readonly apiKey: string;
}

/**
 * The secrets of the environment; what is missing is generated once and kept in the data folder, mode 0600.
 * (In production `makeConfig` has already refused a missing one.)
 */
export function loadSecrets(config: Config): Secrets {
  return {
    encryptionSecret:
      config.encryptionSecret ?? keep(config.dataDir, 'encryption-secret', () => randomBytes(48).toString('base64url')),
    jwtSecret: config.jwtSecret ?? keep(config.dataDir, 'jwt-secret', () => randomBytes(48).toString('base64url')),
    apiKey: config.apiKey ?? keep(config.dataDir, 'api-key', () => `isk_${randomBytes(32).toString('base64url')}`),
  };
}

function keep(dataDir: string, name: string, make: () => string): string {
  const folder = join(dataDir, 'secrets');
  const path = join(folder, name);
  const kept = readKept(path);
  if (kept !== undefined) return kept;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Written beside and linked into place: a crash leaves no half secret, and of two first starts one wins.
  const draft = `${path}.${process.pid}.tmp`;
  writeFileSync(draft, `${make()}\n`, { mode: 0o600, flush: true });
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return readFileSync(path, 'utf8').trim();
}

function readKept(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
