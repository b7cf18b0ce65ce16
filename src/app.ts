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
import { VERSION } from './http/version.ts';
import { IntegrationCatalog } from './integrations/catalog.ts';
import { IntegrationConnections } from './integrations/connections.ts';
import { IntegrationDeletion } from './integrations/deletion.ts';
import { findIntegration } from './integrations/integrationQueries.ts';
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
import { BlockMaker } from './logging/words/blockMaker.ts';
import { Alerts } from './monitoring/alerts/alerts.ts';
import type { MonitoringService } from './monitoring/monitoringService.ts';
import { NotificationService } from './monitoring/notifications/notificationService.ts';
import { openMonitoring } from './monitoring/openMonitoring.ts';
import { AttemptLog } from './outgoing/attemptLog.ts';
import { createOutgoing, type Outgoing } from './outgoing/pipeline.ts';
import type { AttemptSink } from './outgoing/types.ts';
import { makePerformanceConfig, type PerformanceOptions } from './performance/performanceConfig.ts';
import { definePerformanceJobs } from './performance/performanceJobs.ts';
import { PerformanceMonitoringService } from './performance/performanceMonitoringService.ts';
import { PerformanceRecorder } from './performance/store/performanceRecorder.ts';
import { CurrentTuning } from './performance/tuning/currentTuning.ts';
import type { ExperimentLimits } from './performance/tuning/experimentLimits.ts';
import { PerformanceOptimizer } from './performance/tuning/performanceOptimizer.ts';
import { defineTuningJobs, reviewAfterRun } from './performance/tuning/tuningJobs.ts';
import { openRateLimits } from './rateLimits/openRateLimits.ts';
import type { RateLimitingService } from './rateLimits/rateLimitingService.ts';
import { AdvancedSecurityService } from './security/advancedSecurityService.ts';
import { type Database, openDatabase } from './store/database.ts';
import { SyncService } from './sync/syncService.ts';
import { AttemptSpans } from './telemetry/attemptSpans.ts';
import { openOpenTelemetry } from './telemetry/openTelemetry.ts';
import { Telemetry } from './telemetry/telemetry.ts';

const ROTATION_JOB = 'credentials.finishRotation';

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
  const logs = new LogReading({ database, log, clock, redisUrl: config.redisUrl });
  recorder.start(database, () => logs.committed());
  opening.defer(() => recorder.close());
  opening.defer(() => logs.close());
  const blocks = new BlockMaker({ database, log, clock });
  opening.defer(() => blocks.close());

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
  const performanceRecorder = new PerformanceRecorder({ database, clock, log });
  opening.defer(() => performanceRecorder.close());
  const limits = openRateLimits({
    config,
    database,
    jobs,
    audit,
    clock,
    log,
    budgetsOf: (integrationId) => sessions.budgetsOf(integrationId),
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

  const tuning = new CurrentTuning({ database, clock });
  const sessions = new ConnectorSessions({
    database,
    registry: connectors,
    credentials,
    send: outgoing.send,
    tuning,
    defaultBudget: config.defaultRateLimit,
    clock,
    audit,
  });
  const performanceOptimizer = new PerformanceOptimizer({
    database,
    audit,
    clock,
    describe: async (integrationId) => {
      const integration = await catalog.get(integrationId);
      return { integration, connector: await sessions.connector(integration.platform, integration.configuration) };
    },
    flush: async () => {
      await Promise.all([attempts.flush(), performanceRecorder.flush()]);
    },
    limits: options.experimentLimits,
  });
  defineTuningJobs(jobs, performanceOptimizer);
  const performanceConfig = makePerformanceConfig({
    metricsRetentionDays: options.performance?.metricsRetentionDays ?? config.performance.metricsRetentionDays,
    alertThresholds: { ...config.performance.alertThresholds, ...options.performance?.alertThresholds },
  });
  const performanceMonitoringService = new PerformanceMonitoringService({
    database,
    clock,
    log,
    recorder: performanceRecorder,
    config: performanceConfig,
    enabled: config.performanceMonitoringEnabled,
    optimizer: performanceOptimizer,
  });
  opening.defer(() => performanceMonitoringService.close());
  const { summaries } = performanceMonitoringService;
  definePerformanceJobs({ jobs, database, clock, log, config: performanceConfig, summaries });
  const reviewRun = reviewAfterRun(performanceOptimizer, log);
  const sync = new SyncService({
    database,
    clock,
    log,
    audit,
    reader: { planRead, readStream },
    resolveTarget: (integrationId) => sessions.syncTarget(integrationId),
    onRunFinished: async (run) => {
      telemetry.syncs.record(run);
      await reviewRun(run);
    },
    measureWrite: (integrationId, durationMs) => {
      telemetry.attempts.recordWrite(durationMs);
      if (!config.performanceMonitoringEnabled) return;
      performanceRecorder.recordPhase(integrationId, 'sync', 'success', 'write', durationMs);
    },
  });
  opening.defer(() => sync.close());

  const catalog = new IntegrationCatalog({ database, credentials, sessions, sync, outgoing, audit });
  const connections = new IntegrationConnections({
    database,
    sessions,
    outgoing,
    attempts,
    measured: { enabled: config.performanceMonitoringEnabled, flush: () => performanceRecorder.flush() },
    sync,
    clock,
    audit,
    log,
  });
  const deletion = new IntegrationDeletion({
    database,
    credentials,
    sessions,
    sync,
    limits: limits.settings,
    jobs,
    log,
    audit,
  });
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
    sessions,
    budgets: limits.outgoing,
  });

  const monitoring = openMonitoring({
    database,
    audit,
    jobs,
    clock,
    log,
    dataDir: config.dataDir,
    enabled: config.monitoringEnabled,
    rateLimits: () => limits.service.storeState(),
    test: async (integrationId) => {
      const integration = await findIntegration(database.db, integrationId);
      return integration === null ? null : connections.test(integration);
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
  const notifications = new NotificationService({
    database,
    credentials,
    jobs,
    audit,
    clock,
    log,
    publicUrl: config.publicUrl,
    allowedPrivateHosts: config.allowedPrivateHosts,
    mail: config.mail,
  });
  opening.defer(() => notifications.close());
  const alerts = new Alerts({
    database,
    audit,
    source: monitoring.metrics,
    clock,
    log,
    changed: () => notifications.wake(),
  });
  opening.defer(() => alerts.close());

  if (workers) {
    await jobs.start();
    blocks.start();
    sync.startWorkers();
    audit.start();
    monitoring.start();
    if (config.monitoringEnabled) {
      await alerts.start();
      notifications.start();
    }
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
    performanceOptimizer,
    jobs,
    audit,
    access,
    sync,
    catalog,
    webhooks,
    logs,
    integrationService,
    advancedSecurityService,
    monitoringService: monitoring.service,
    alerts,
    rateLimitingService: limits.service,
    performanceMonitoringService,
    notifications,
    comprehensiveLoggingService,
    logKeeping,
    close: () => open.disposeAsync(),
  };
}
