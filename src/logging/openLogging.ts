import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { watchLogLevel } from '../config/env.ts';
import type { Secrets } from '../config/secrets.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { liveSecrets } from '../redaction/knownSecrets.ts';
import { learnSecretsOfUrl } from '../redaction/learnSecrets.ts';
import { LogRecorder } from './logRecorder.ts';
import { LOG_LEVELS, type LogLevel } from './types.ts';

interface Parts {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly sink: Log;
}

/** Takes records from now on, and knows the secrets of the configuration. */
export function openRecorder({ config, secrets, clock, sink }: Parts): LogRecorder {
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

function isLevel(text: string | undefined): text is LogLevel {
  return text !== undefined && (LOG_LEVELS as readonly string[]).includes(text);
}
