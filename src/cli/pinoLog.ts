import { pino, stdSerializers, stdTimeFunctions } from 'pino';
import type { Config } from '../config/config.ts';
import type { Log } from '../core/log.ts';
import { prettyLog } from './prettyLog.ts';

type Level = Config['logLevel'];

/** pino's numbers; `verbose` and `critical` are the specification's own. */
const LEVELS: Readonly<Record<Level, number>> = {
  debug: 20,
  verbose: 25,
  info: 30,
  warn: 40,
  error: 50,
  critical: 60,
};

interface LogOptions {
  readonly level: Level;
  /** Where it goes: the server logs to stdout, commands keep stdout for their data. */
  readonly stream: NodeJS.WriteStream & { readonly fd: 1 | 2 };
  /** One readable line each, for a person at a terminal; else one JSON object each. */
  readonly pretty: boolean;
}

/** The log of a process. Written synchronously, so that nothing is lost when the process ends. */
export function createLog({ level, stream, pretty }: LogOptions): Log {
  if (pretty) return prettyLog(LEVELS[level], stream);
  const logger = pino(
    {
      level,
      customLevels: LEVELS,
      useOnlyCustomLevels: true,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: stdSerializers.err },
    },
    pino.destination({ fd: stream.fd, sync: true }),
  );
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    verbose: (message, fields) => logger.verbose(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
    critical: (message, fields) => logger.critical(fields ?? {}, message),
  };
}
