import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Config, makeConfig } from '../../config/config.ts';
import type { Environment } from '../../config/env.ts';
import { ConfigurationError } from '../../config/errors.ts';
import { type Finding, fail, pass, warn } from './finding.ts';

const MIB = 1024 * 1024;
const FREE_WARN_BYTES = 2048 * MIB;
const FREE_FAIL_BYTES = 200 * MIB;

/** A Node that is too old does not come this far: bin/checkNode.js stops it. */
export function checkNode(): Finding {
  return pass('node', `${process.version} on ${process.platform} ${process.arch}`);
}

/** Null when the configuration is wrong; then the findings say how, a finding each. */
export function checkConfiguration(environment: Environment): { config: Config | null; findings: Finding[] } {
  try {
    const config = makeConfig(environment);
    return { config, findings: [pass('configuration', config.environment)] };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const findings = error.problems.map(({ variable, got, takes }) =>
      fail('configuration', `${variable} is ${got}`, `Set it to ${takes}.`),
    );
    return { config: null, findings };
  }
}

/** Looks only; the folder is made by the first start. */
export function checkDataFolder({ dataDir }: Config): Finding {
  const check = 'data folder';
  const nearest = nearestExisting(dataDir);
  try {
    accessSync(nearest, constants.W_OK | constants.X_OK);
  } catch {
    return fail(
      check,
      `${nearest} cannot be written to`,
      'Set DATA_DIR to a folder of yours, or give yourself this one.',
    );
  }
  const secrets = join(dataDir, 'secrets');
  if (process.platform !== 'win32' && existsSync(secrets) && (statSync(secrets).mode & 0o077) !== 0)
    return warn(check, `${secrets} is open to other users`, `Close it: chmod 700 ${secrets}`);
  return pass(check, nearest === dataDir ? dataDir : `${dataDir} (made at the first start)`);
}

export function checkDiskSpace({ dataDir }: Config): Finding {
  const { bavail, bsize } = statfsSync(nearestExisting(dataDir));
  const freeBytes = bavail * bsize;
  const observed = `${Math.floor(freeBytes / MIB).toLocaleString('en')} MiB free`;
  const advice = `Make room where ${dataDir} is, or set DATA_DIR to another disk.`;
  if (freeBytes < FREE_FAIL_BYTES) return fail('disk space', observed, advice);
  return freeBytes < FREE_WARN_BYTES ? warn('disk space', observed, advice) : pass('disk space', observed);
}

function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path));
}
