import { type Access, openAccess } from './access/access.ts';
import { actAs } from './audit/acting.ts';
import { AuditLog } from './audit/auditLog.ts';
import { type Config, makeConfig } from './config/config.ts';
import { readEnvironment } from './config/env.ts';
import { loadSecrets, type Secrets } from './config/secrets.ts';
import { planRead, readStream } from './connectors/readStream.ts';
import { ConnectorRegistry } from './connectors/registry.ts';
import { type Clock, systemClock } from './core/clock.ts';
import { type Log, silentLog } from './core/log.ts';
import { CredentialCipher } from './credentials/credentialCipher.ts';
import { CredentialStore } from './credentials/credentialStore.ts';
import { InstallationKeys } from './credentials/installationKeys.ts';
import { nodeBackend } from './credentials/nodeBackend.ts';
import { finishRotation } from './credentials/rotation.ts';
import { IntegrationCatalog } from './integrations/catalog.ts';
import { IntegrationConnections } from './integrations/connections.ts';
import { IntegrationDeletion } from './integrations/deletion.ts';
import { IntegrationService } from './integrations/integrationService.ts';
import { ConnectorSessions } from './integrations/sessions.ts';
import { WebhookEndpoints } from './integrations/webhookEndpoints.ts';
import { createJobs, type Jobs } from './jobs/jobs.ts';
import { defineMaintenance } from './jobs/maintenance.ts';
import { ComprehensiveLoggingService } from './logging/comprehensiveLoggingService.ts';
import { LogKeeping } from './logging/logKeeping.ts';
import { LogReading } from './logging/logReading.ts';
import { LogSettings } from './logging/logSettings.ts';
import { openRecorder } from './logging/openLogging.ts';
import { AttemptLog } from './outgoing/attemptLog.ts';
import { createOutgoing, type Outgoing } from './outgoing/pipeline.ts';
import { InProcessRateBudgets } from './rateLimits/inProcessBudgets.ts';
import { openRateLimits } from './rateLimits/openRateLimits.ts';
import type { RateLimitingService } from './rateLimits/rateLimitingService.ts';
import { ShareChanges } from './rateLimits/shareChanges.ts';
import { AdvancedSecurityService } from './security/advancedSecurityService.ts';
import { type Database, openDatabase } from './store/database.ts';
import { SyncService } from './sync/syncService.ts';

const ROTATION_JOB = 'credentials.finishRotation';

export interface AppOptions {
  /** Default: made of the environment and `.env`. */
  readonly config?: Config;
  readonly log?: Log;
  readonly clock?: Clock;
  /** Whether this process runs syncs, schedules and jobs. Default true; a command leaves them to the server. */
  readonly workers?: boolean;
  /** Shares the embedded database of a server that runs on the same data folder. Default true; the server itself does not. */
  readonly attach?: boolean;
}

/** Every part, built and connected. */
export interface App {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly log: Log;
  readonly database: Database;
  readonly keys: InstallationKeys;
  readonly credentials: CredentialStore;
  readonly connectors: ConnectorRegistry;
  readonly outgoing: Outgoing;
  readonly jobs: Jobs;
  readonly audit: AuditLog;
  readonly access: Access;
  readonly sync: SyncService;
  readonly catalog: IntegrationCatalog;
  readonly webhooks: WebhookEndpoints;
  readonly logs: LogReading;
  readonly integrationService: IntegrationService;
  readonly advancedSecurityService: AdvancedSecurityService;
  readonly rateLimitingService: RateLimitingService;
  readonly comprehensiveLoggingService: ComprehensiveLoggingService;
  readonly logKeeping: LogKeeping;
  /** Ends the workers, then the database. What runs had written stays; the next start goes on from it. */
  close(): Promise<void>;
}

/**
 * The composition root: builds everything, top to bottom.
 * @throws ConfigurationError, UnavailableError, DataFolderInUseError, EncryptionSecretMismatchError
 */
export async function openApp(options: AppOptions = {}): Promise<App> {
  const config = options.config ?? makeConfig(readEnvironment());
  const clock = options.clock ?? systemClock;
  const workers = options.workers ?? true;
  // Closes in reverse what is open when a later step fails, or when the app is closed.
  await using opening = new AsyncDisposableStack();

  const secrets = loadSecrets(config);
  const recorder = openRecorder({ config, secrets, clock, sink: options.log ?? silentLog });
  const { log } = recorder;
  const database = await openDatabase({
    url: config.databaseUrl,
    dataDir: config.dataDir,
    attach: options.attach ?? true,
    log: (line) => log.info(line),
  });
  opening.defer(() => database.close());
  const logs = new LogReading({ database, log, clock, redisUrl: config.redisUrl });
  recorder.start(database, () => logs.committed());
  opening.defer(() => recorder.close());
  opening.defer(() => logs.close());

  const keys = await InstallationKeys.open(database, secrets.encryptionSecret);
  const credentials = new CredentialStore(database, keys);

  const jobs = createJobs(database, (line) => log.warn(line));
  opening.defer(() => jobs.stop());
  defineMaintenance(jobs, database);
  const audit = new AuditLog({
    database,
    credentials,
    jobs,
    clock,
    log,
    dataDir: config.dataDir,
    origin: `${new URL(config.publicUrl).host}/audit`,
    webhook:
      config.auditCheckpointWebhook === null
        ? null
        : { url: config.auditCheckpointWebhook, allowedPrivateHosts: config.allowedPrivateHosts },
    secrets: Object.values(secrets),
  });
  opening.defer(() => audit.close());

  const logSettings = new LogSettings({ database, audit, clock, log, recorder });
  logSettings.start();
  opening.defer(() => logSettings.close());
  const logKeeping = new LogKeeping({
    database,
    audit,
    jobs,
    clock,
    log,
    settings: logSettings,
    archive: config.logArchive,
  });
  const comprehensiveLoggingService = new ComprehensiveLoggingService({
    recorder,
    settings: logSettings,
    reader: logs,
  });

  // A rotation that a crash interrupted is finished without anybody asking.
  jobs.define(
    ROTATION_JOB,
    (_payload, signal) =>
      actAs({ actor: { kind: 'system', id: ROTATION_JOB } }, async () => {
        await finishRotation(database, keys, { signal, audit });
      }),
    { cron: '*/10 * * * *' },
  );

  const connectors = new ConnectorRegistry(database, audit);

  const attempts = new AttemptLog(database, log);
  opening.defer(() => attempts.close());
  const shareChanges = new ShareChanges({ clock, log });
  const budgets = new InProcessRateBudgets({ clock, changed: (key, change) => shareChanges.add(key, change) });
  const outgoing = createOutgoing({
    clock,
    allowedPrivateHosts: config.allowedPrivateHosts,
    defaultBudget: config.defaultRateLimit,
    attempts,
    budgets,
    log,
  });
  opening.defer(() => outgoing.close());

  const sessions = new ConnectorSessions({
    database,
    registry: connectors,
    credentials,
    send: outgoing.send,
    clock,
    audit,
  });
  const sync = new SyncService({
    database,
    clock,
    log,
    audit,
    reader: { planRead, readStream },
    resolveTarget: (integrationId) => sessions.syncTarget(integrationId),
  });
  opening.defer(() => sync.close());

  const catalog = new IntegrationCatalog({ database, credentials, sessions, sync, outgoing, audit });
  const connections = new IntegrationConnections({
    database,
    sessions,
    outgoing,
    attempts,
    sync,
    clock,
    audit,
    log,
  });
  const deletion = new IntegrationDeletion({ database, credentials, sessions, sync, jobs, log, audit });
  const webhooks = new WebhookEndpoints(database, credentials, audit);
  const access = await openAccess({
    database,
    credentials,
    jobs,
    audit,
    clock,
    log,
    jwtSecret: secrets.jwtSecret,
    publicUrl: config.publicUrl,
    mail: config.mail,
    stackAuth: config.stackAuth,
    outgoing,
  });
  opening.defer(() => access.close());
  const advancedSecurityService = new AdvancedSecurityService({
    database,
    audit,
    accessControl: access.control,
    cipher: new CredentialCipher({ secret: secrets.encryptionSecret, backend: nodeBackend }),
  });
  const integrationService = new IntegrationService({
    catalog,
    connections,
    deletion,
    webhooks,
    sync,
    budgets,
    defaultBudget: config.defaultRateLimit,
    clock,
  });

  const rateLimitingService = openRateLimits({ config, database, audit, jobs, clock, log, shareChanges });
  opening.defer(() => rateLimitingService.close());

  if (workers) {
    await jobs.start();
    sync.startWorkers();
    audit.start();
  }
  const open = opening.move();
  return {
    config,
    secrets,
    log,
    database,
    keys,
    credentials,
    connectors,
    outgoing,
    jobs,
    audit,
    access,
    sync,
    catalog,
    webhooks,
    logs,
    integrationService,
    advancedSecurityService,
    rateLimitingService,
    comprehensiveLoggingService,
    logKeeping,
    close: () => open.disposeAsync(),
  };
}
