import type { AuditTrail } from '../audit/types.ts';
import type { Config } from '../config/config.ts';
import { planRead, readStream } from '../connectors/readStream.ts';
import type { ConnectorRegistry } from '../connectors/registry.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { CredentialStore } from '../credentials/credentialStore.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { AttemptLog } from '../outgoing/attemptLog.ts';
import type { Outgoing } from '../outgoing/pipeline.ts';
import type { PerformanceRecorder } from '../performance/store/performanceRecorder.ts';
import { CurrentTuning } from '../performance/tuning/currentTuning.ts';
import type { RateLimits } from '../rateLimits/openRateLimits.ts';
import type { Database } from '../store/database.ts';
import { SyncService } from '../sync/syncService.ts';
import type { SyncRun } from '../sync/types.ts';
import { IntegrationCatalog } from './catalog.ts';
import { IntegrationConnections } from './connections.ts';
import { IntegrationDeletion } from './deletion.ts';
import { IntegrationService } from './integrationService.ts';
import { ConnectorSessions } from './sessions.ts';
import { WebhookEndpoints } from './webhookEndpoints.ts';

interface Parts {
  readonly config: Config;
  readonly database: Database;
  readonly credentials: CredentialStore;
  readonly registry: ConnectorRegistry;
  readonly outgoing: Outgoing;
  readonly attempts: AttemptLog;
  readonly recorder: PerformanceRecorder;
  readonly limits: RateLimits;
  readonly jobs: Jobs;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  readonly log: Log;
  readonly onRunFinished: (run: SyncRun) => Promise<void>;
  /** Told how long the storing of a page took. */
  readonly measureWrite: (integrationId: string, durationMs: number) => void;
}

/** Integrations, what they read, and the one service over it. */
export interface Integrations {
  readonly sessions: ConnectorSessions;
  readonly catalog: IntegrationCatalog;
  readonly connections: IntegrationConnections;
  readonly webhooks: WebhookEndpoints;
  readonly sync: SyncService;
  readonly service: IntegrationService;
  /** Ends the syncs. */
  close(): Promise<void>;
}

export function openIntegrations(parts: Parts): Integrations {
  const { config, database, credentials, outgoing, recorder, limits, clock } = parts;
  const sessions = new ConnectorSessions({
    ...parts,
    send: outgoing.send,
    tuning: new CurrentTuning({ database, clock }),
    defaultBudget: config.defaultRateLimit,
  });
  const sync = new SyncService({
    ...parts,
    reader: { planRead, readStream },
    resolveTarget: (integrationId) => sessions.syncTarget(integrationId),
  });
  const catalog = new IntegrationCatalog({ ...parts, sessions, sync });
  const connections = new IntegrationConnections({
    ...parts,
    sessions,
    sync,
    measured: { enabled: config.performanceMonitoringEnabled, flush: () => recorder.flush() },
  });
  const deletion = new IntegrationDeletion({ ...parts, sessions, sync, limits: limits.settings });
  const webhooks = new WebhookEndpoints(database, credentials, parts.audit);
  const budgets = limits.outgoing;
  return {
    sessions,
    catalog,
    connections,
    webhooks,
    sync,
    service: new IntegrationService({ catalog, connections, deletion, webhooks, sync, sessions, budgets }),
    close: () => sync.close(),
  };
}
