import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

/** Variables as text, unparsed. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The only reader of `process.env`: the process's variables over those of the `.env` file in `directory`.
 * An empty value counts as not set, so that `FOO=` in a file or a compose file switches FOO off.
 */
export function readEnvironment(directory: string = process.cwd()): Environment {
  const merged: Record<string, string | undefined> = { ...readEnvFile(join(directory, '.env')), ...process.env };
  for (const [name, value] of Object.entries(merged)) if (value?.trim() === '') delete merged[name];
  return merged;
}

function readEnvFile(path: string): Environment {
  try {
    return parseEnv(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

/** What LOG_LEVEL of this process was changed to since the call; undefined while it was not. */
export function watchLogLevel(): () => string | undefined {
  const started = process.env.LOG_LEVEL;
  return () => {
    const level = process.env.LOG_LEVEL;
    return level === started ? undefined : level?.trim().toLowerCase();
  };
}
