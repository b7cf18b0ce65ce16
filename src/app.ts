import { type Access, openAccess } from './access/access.ts';
import { AuditLog } from './audit/auditLog.ts';
import { type Config, makeConfig } from './config/config.ts';
import { readEnvironment } from './config/env.ts';
import { loadSecrets, type Secrets } from './config/secrets.ts';
import { ConnectorRegistry } from './connectors/registry.ts';
import { type Clock, systemClock } from './core/clock.ts';
import { type Log, silentLog } from './core/log.ts';
import { CredentialCipher } from './credentials/credentialCipher.ts';
import { CredentialStore } from './credentials/credentialStore.ts';
import { InstallationKeys } from './credentials/installationKeys.ts';
import { nodeBackend } from './credentials/nodeBackend.ts';
import { defineRotationJob } from './credentials/rotationJob.ts';
import { VERSION } from './http/version.ts';
import type { IntegrationCatalog } from './integrations/catalog.ts';
import { findIntegration } from './integrations/integrationQueries.ts';
import type { IntegrationService } from './integrations/integrationService.ts';
import { openIntegrations } from './integrations/openIntegrations.ts';
import type { WebhookEndpoints } from './integrations/webhookEndpoints.ts';
import { createJobs, type Jobs } from './jobs/jobs.ts';
import { defineMaintenance } from './jobs/maintenance.ts';
import type { ComprehensiveLoggingService } from './logging/comprehensiveLoggingService.ts';
import type { LogKeeping } from './logging/logKeeping.ts';
import type { LogReading } from './logging/logReading.ts';
import { openLogging, openReading, openRecorder } from './logging/openLogging.ts';
import type { Alerts } from './monitoring/alerts/alerts.ts';
import type { MonitoringService } from './monitoring/monitoringService.ts';
import type { NotificationService } from './monitoring/notifications/notificationService.ts';
import { openMonitoring } from './monitoring/openMonitoring.ts';
import { AttemptLog } from './outgoing/attemptLog.ts';
import { createOutgoing, type Outgoing } from './outgoing/pipeline.ts';
import type { AttemptSink } from './outgoing/types.ts';
import { openPerformance } from './performance/openPerformance.ts';
import type { PerformanceOptions } from './performance/performanceConfig.ts';
import type { PerformanceMonitoringService } from './performance/performanceMonitoringService.ts';
import { PerformanceRecorder } from './performance/store/performanceRecorder.ts';
import type { ExperimentLimits } from './performance/tuning/experimentLimits.ts';
import type { PerformanceOptimizer } from './performance/tuning/performanceOptimizer.ts';
import { openRateLimits } from './rateLimits/openRateLimits.ts';
import type { RateLimitingService } from './rateLimits/rateLimitingService.ts';
import { AdvancedSecurityService } from './security/advancedSecurityService.ts';
import { type Database, openDatabase } from './store/database.ts';
import type { SyncService } from './sync/syncService.ts';
import { AttemptSpans } from './telemetry/attemptSpans.ts';
import { openOpenTelemetry } from './telemetry/openTelemetry.ts';
import { Telemetry } from './telemetry/telemetry.ts';

export interface AppOptions {
  /** Default: made of the environment and `.env`. */
  readonly config?: Config;
  readonly log?: Log;
  readonly clock?: Clock;
  /** How experiments are made, where it differs from the usual. */
  readonly experimentLimits?: Partial<ExperimentLimits>;
  /** Retention and thresholds of performance monitoring, where they differ from the configuration's. */
  readonly performance?: PerformanceOptions;
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
  readonly performanceRecorder: PerformanceRecorder;
  readonly telemetry: Telemetry;
  readonly performanceOptimizer: PerformanceOptimizer;
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
  readonly performanceMonitoringService: PerformanceMonitoringService;
  readonly monitoringService: MonitoringService;
  readonly alerts: Alerts;
  readonly notifications: NotificationService;
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
  const logs = await openReading({ database, log, clock, redisUrl: config.redisUrl });
  recorder.start(database, () => logs.committed());
  opening.defer(() => recorder.close());
  opening.defer(() => logs.close());

  const telemetry = new Telemetry({ database, clock, integrationSeries: config.metricsIntegrationSeries });
  const openTelemetry = await openOpenTelemetry({
    variables: config.openTelemetry,
    log,
    version: VERSION,
    families: () => telemetry.families(),
  });
  opening.defer(async () => openTelemetry?.close());

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

  const logging = openLogging({ config, database, recorder, reader: logs, jobs, audit, clock, log });
  opening.defer(() => logging.close());
  defineRotationJob({ jobs, database, keys, audit });
  const connectors = new ConnectorRegistry(database, audit);

  const attempts = new AttemptLog(database, log);
  opening.defer(() => attempts.close());
  const performanceRecorder = new PerformanceRecorder({ database, clock, log });
  opening.defer(() => performanceRecorder.close());
  const limits = await openRateLimits({
    config,
    database,
    jobs,
    audit,
    clock,
    log,
    budgetsOf: (integrationId) => integrations.sessions.budgetsOf(integrationId),
  });
  // After everything that sends.
  opening.defer(() => limits.close());
  const watchers: readonly AttemptSink[] = [
    attempts,
    telemetry.attempts,
    new AttemptSpans(),
    ...(config.performanceMonitoringEnabled ? [performanceRecorder] : []),
  ];
  const outgoing = createOutgoing({
    clock,
    allowedPrivateHosts: config.allowedPrivateHosts,
    defaultBudget: config.defaultRateLimit,
    attempts: {
      record: (attempt) => {
        for (const watcher of watchers) watcher.record(attempt);
      },
    },
    budgets: limits.outgoing,
    log,
  });
  opening.defer(() => outgoing.close());

  const integrations = openIntegrations({
    config,
    database,
    credentials,
    registry: connectors,
    outgoing,
    attempts,
    recorder: performanceRecorder,
    limits,
    jobs,
    audit,
    clock,
    log,
    onRunFinished: async (run) => {
      telemetry.syncs.record(run);
      await performance.reviewRun(run);
    },
    measureWrite: (integrationId, durationMs) => {
      telemetry.attempts.recordWrite(durationMs);
      if (!config.performanceMonitoringEnabled) return;
      performanceRecorder.recordPhase(integrationId, 'sync', 'success', 'write', durationMs);
    },
  });
  opening.defer(() => integrations.close());
  const { catalog, sessions, sync } = integrations;
  const performance = openPerformance({
    config,
    options: options.performance,
    experimentLimits: options.experimentLimits,
    database,
    audit,
    jobs,
    clock,
    log,
    attempts,
    recorder: performanceRecorder,
    describe: async (integrationId) => {
      const integration = await catalog.get(integrationId);
      return { integration, connector: await sessions.connector(integration.platform, integration.configuration) };
    },
  });
  opening.defer(() => performance.service.close());

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
  const monitoring = openMonitoring({
    config,
    database,
    credentials,
    audit,
    jobs,
    clock,
    log,
    rateLimits: () => limits.service.storeState(),
    test: async (integrationId) => {
      const integration = await findIntegration(database.db, integrationId);
      return integration === null ? null : integrations.connections.test(integration);
    },
  });
  opening.defer(() => monitoring.close());
  telemetry.watch({
    outgoing,
    rateLimits: limits.service,
    database,
    attempts,
    recorder: performanceRecorder,
    version: VERSION,
  });
  if (workers) {
    await jobs.start();
    logging.start();
    sync.startWorkers();
    audit.start();
    await monitoring.start();
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
    performanceRecorder,
    telemetry,
    performanceOptimizer: performance.optimizer,
    jobs,
    audit,
    access,
    sync,
    catalog,
    webhooks: integrations.webhooks,
    logs,
    integrationService: integrations.service,
    advancedSecurityService,
    monitoringService: monitoring.service,
    alerts: monitoring.alerts,
    rateLimitingService: limits.service,
    performanceMonitoringService: performance.service,
    notifications: monitoring.notifications,
    comprehensiveLoggingService: logging.service,
    logKeeping: logging.keeping,
    close: () => open.disposeAsync(),
  };
}
