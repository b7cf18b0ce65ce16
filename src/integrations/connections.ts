import type { AuditTrail } from '../audit/types.ts';
import { checkConnection } from '../connectors/check.ts';
import { needsCredentials } from '../connectors/resolve.ts';
import type { Clock } from '../core/clock.ts';
import { newId } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import { inSpan } from '../core/tracing.ts';
import type { AttemptLog } from '../outgoing/attemptLog.ts';
import type { Outgoing } from '../outgoing/pipeline.ts';
import type { Database } from '../store/database.ts';
import type { SyncService } from '../sync/syncService.ts';
import { changeOf } from './auditing.ts';
import { type ConnectionCheck, toConnectionTestResult } from './connectionTest.ts';
import { ConnectionFailedError, CredentialsForOtherOriginError } from './errors.ts';
import { judgeHealth } from './health.ts';
import { disconnect, learnStatus, reconnect } from './integrationQueries.ts';
import { type MeasuredCalls, readMetrics } from './metrics.ts';
import type { ConnectorSessions } from './sessions.ts';
import type { ConnectionTestResult, HealthCheckResult, Integration, IntegrationMetrics } from './types.ts';

const TEST_DEADLINE_MS = 30_000;

interface Dependencies {
  readonly database: Database;
  readonly sessions: ConnectorSessions;
  readonly outgoing: Outgoing;
  readonly attempts: AttemptLog;
  readonly measured: MeasuredCalls;
  readonly sync: SyncService;
  readonly clock: Clock;
  readonly audit: AuditTrail;
  readonly log: Log;
}

/** Whether integrations reach their providers, and how well. */
export class IntegrationConnections {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** Proves the stored credentials with the connector's check and keeps what was learnt as the status. */
  test(integration: Integration): Promise<ConnectionTestResult> {
    return inSpan('connection test', { attributes: attributesOf(integration) }, async (span) => {
      const result = await this.#test(integration);
      span.setAttribute('integration_services.test.status', result.status);
      return result;
    });
  }

  async #test(integration: Integration): Promise<ConnectionTestResult> {
    const { clock, database } = this.#deps;
    const operationId = newId('operation');
    const startedMs = clock.monotonicMs();
    const found = await this.#judge(integration, operationId);
    const result = toConnectionTestResult(found.check, {
      platform: integration.platform,
      title: found.title,
      operationId,
      latencyMs: clock.monotonicMs() - startedMs,
      testedAt: new Date(clock.now()).toISOString(),
    });
    await this.#keep(database, integration.id, result);
    // A test that was broken off, as when the process ends, found nothing.
    if (found.check.outcome !== 'aborted') this.#say(integration, result);
    return result;
  }

  #say({ id, platform }: Integration, { status, success, latencyMs, error, details }: ConnectionTestResult): void {
    const { operationId } = details;
    const fields = { eventName: 'connection.tested', integrationId: id, operationId, platform, status, latencyMs };
    if (success) this.#deps.log.info('The connection was tested and works', fields);
    else this.#deps.log.warn('The connection was tested and does not work', { ...fields, reason: error });
  }

  async #judge(integration: Integration, operationId: string): Promise<{ check: ConnectionCheck; title: string }> {
    const { sessions } = this.#deps;
    const { platform, configuration, credentialFields } = integration;
    const connector = await sessions.connector(platform, configuration);
    const { title } = connector;
    if (credentialFields.length === 0 && needsCredentials(connector, configuration.authMode))
      return { check: { outcome: 'missing_credentials' }, title };
    try {
      const session = await sessions.open(integration, operationId);
      return {
        check: await checkConnection(session, AbortSignal.timeout(TEST_DEADLINE_MS), configuration.streams),
        title,
      };
    } catch (error) {
      if (!(error instanceof CredentialsForOtherOriginError)) throw error;
      return { check: { outcome: 'other_origin', providerMessage: error.message }, title };
    }
  }

  /** @throws ConnectionFailedError the integration stays as it was, with the reason as its status */
  async connect(integration: Integration): Promise<void> {
    const result = await this.test(integration);
    if (!result.success) throw new ConnectionFailedError(integration.name, result);
    const { database, audit } = this.#deps;
    await database.transaction(async (tx) => {
      await reconnect(tx, integration.id);
      await audit.record(tx, changeOf(integration.id, 'integration.connected'));
    });
  }

  /** Ends its syncs; nothing is sent to the provider until it is connected again. Credentials and records stay. */
  async disconnect(integration: Integration): Promise<void> {
    const { database, sync, audit } = this.#deps;
    await database.transaction(async (tx) => {
      await sync.unschedule(tx, integration.id);
      await disconnect(tx, integration.id);
      await audit.record(tx, changeOf(integration.id, 'integration.disconnected'));
    });
    await sync.stop(integration.id);
  }

  health(integration: Integration): Promise<HealthCheckResult> {
    return inSpan('health check', { attributes: attributesOf(integration) }, () => this.#health(integration));
  }

  async #health(integration: Integration): Promise<HealthCheckResult> {
    const { clock, outgoing, sync } = this.#deps;
    const connection = await this.test(integration);
    const [metrics, runs] = await Promise.all([
      this.metrics(integration.id),
      sync.listRuns(integration.id, { limit: 1, finished: true }),
    ]);
    const last = runs[0];
    return judgeHealth({
      integration,
      connection,
      breaker: outgoing.breakerState(integration.id),
      metrics,
      lastRun:
        last === undefined
          ? null
          : { status: last.status, error: last.error?.message ?? null, finishedAt: last.finishedAt },
      checkedAt: new Date(clock.now()).toISOString(),
    });
  }

  async metrics(integrationId: string): Promise<IntegrationMetrics> {
    const { attempts, measured, database, clock } = this.#deps;
    // What this process has seen but not yet written belongs to the answer.
    await attempts.flush();
    return readMetrics(database, clock, integrationId, measured);
  }

  /** Only what the test decided changes the status: a provider's bad day leaves it as it was. */
  async #keep(database: Database, id: string, result: ConnectionTestResult): Promise<void> {
    if (result.success) return learnStatus(database.db, id, 'connected', null);
    const undecided = ['rate_limited', 'circuit_open', 'timeout', 'provider_error'].includes(result.status);
    if (!undecided) await learnStatus(database.db, id, 'error', result.error ?? null);
  }
}

function attributesOf({ id, platform }: Integration): Record<string, string> {
  return { 'integration_services.integration.id': id, 'integration_services.platform': platform };
}
