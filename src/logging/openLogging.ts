import { join } from 'node:path';
import type { AuditTrail } from '../audit/types.ts';
import type { Config } from '../config/config.ts';
import { watchLogLevel } from '../config/env.ts';
import type { Secrets } from '../config/secrets.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { liveSecrets } from '../redaction/knownSecrets.ts';
import { learnSecretsOfUrl } from '../redaction/learnSecrets.ts';
import type { Database } from '../store/database.ts';
import { ComprehensiveLoggingService } from './comprehensiveLoggingService.ts';
import { LogKeeping } from './logKeeping.ts';
import { LogReading } from './logReading.ts';
import { LogRecorder } from './logRecorder.ts';
import { LogSettings } from './logSettings.ts';
import { LOG_LEVELS, type LogLevel } from './types.ts';

/** Takes records from now on, and knows the secrets of the configuration. */
export function openRecorder(parts: {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly sink: Log;
}): LogRecorder {
  const { config, secrets, clock, sink } = parts;
  for (const secret of Object.values(secrets)) liveSecrets.add(secret);
  if (config.stackAuth !== null) liveSecrets.add(config.stackAuth.secretServerKey);
  for (const url of [config.databaseUrl, config.redisUrl, config.mail?.url, config.auditCheckpointWebhook]) {
    if (url !== null && url !== undefined) learnSecretsOfUrl(url);
  }
  const changed = watchLogLevel();
  return new LogRecorder({
    clock,
    root: join(config.dataDir, 'logs', 'journals'),
    maxWaitingBytes: config.logSpillBytes,
    level: config.logLevel,
    changedLevel: () => {
      const level = changed();
      return isLevel(level) ? level : null;
    },
    sink,
  });
}

/** What is stored, and what comes. Where `REDIS_URL` is set, replicas hear of each other's records through it. */
export async function openReading(parts: {
  readonly database: Database;
  readonly log: Log;
  readonly clock: Clock;
  readonly redisUrl: string | null;
}): Promise<LogReading> {
  const { database, log, clock, redisUrl } = parts;
  const hints = redisUrl === null ? null : new (await import('./live/redisHints.ts')).RedisHints(redisUrl);
  return new LogReading({ database, log, clock, hints });
}

export interface Logging {
  /** How long logs are kept, and their archive. */
  readonly keeping: LogKeeping;
  readonly service: ComprehensiveLoggingService;
  close(): Promise<void>;
}

/** Levels, retention and archive of what the recorder takes, and the service over it all; defines their jobs. */
export function openLogging(parts: {
  readonly config: Config;
  readonly database: Database;
  readonly recorder: LogRecorder;
  readonly reader: LogReading;
  readonly jobs: Jobs;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  readonly log: Log;
}): Logging {
  const { config, recorder, reader } = parts;
  const settings = new LogSettings(parts);
  settings.start();
  return {
    keeping: new LogKeeping({ ...parts, settings, archive: config.logArchive }),
    service: new ComprehensiveLoggingService({ recorder, settings, reader }),
    close: () => settings.close(),
  };
}

function isLevel(text: string | undefined): text is LogLevel {
  return text !== undefined && (LOG_LEVELS as readonly string[]).includes(text);
}
