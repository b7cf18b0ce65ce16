import type { App } from '../app.ts';
import { actAs } from '../audit/acting.ts';
import type { Config } from '../config/config.ts';
import type { Environment } from '../config/env.ts';
import type { Log } from '../core/log.ts';
import type { Invocation } from './command.ts';
import { createLog } from './pinoLog.ts';

/**
 * Runs a command against the data, beside a server that may be running. What is due in the meantime is left to
 * that server.
 */
export async function withApp<T>({ environment }: Invocation<object>, run: (app: App) => Promise<T>): Promise<T> {
  // Loaded here, as everything heavy is loaded where it is used, so that --help answers at once.
  const [{ makeConfig }, { openApp }] = await Promise.all([import('../config/config.ts'), import('../app.ts')]);
  const config = makeConfig(environment);
  const app = await openApp({ config, log: commandLog(config, environment), workers: false, attach: true });
  try {
    return await actAs(COMMAND_LINE, () => run(app));
  } finally {
    await app.close();
  }
}

/** As the audit log names whoever sits at the machine. */
const COMMAND_LINE = { actor: { kind: 'installation', id: 'command line' } } as const;

/** Commands speak for themselves, so only warnings are added to what they say, unless LOG_LEVEL asks for more. */
export function commandLog(config: Config, environment: Environment): Log {
  const level = environment.LOG_LEVEL === undefined ? 'warn' : config.logLevel;
  return createLog({ level, stream: process.stderr, pretty: process.stderr.isTTY === true });
}
