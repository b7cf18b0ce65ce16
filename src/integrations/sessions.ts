import type { AuditTrail } from '../audit/types.ts';
import { credentialOrigins } from '../connectors/credentialOrigins.ts';
import type { Connector } from '../connectors/format.ts';
import { withPageSizes } from '../connectors/pagination/pageSizeRange.ts';
import { takesParallelStreams } from '../connectors/parallelStreams.ts';
import type { ConnectorRegistry } from '../connectors/registry.ts';
import { connectorBudgets } from '../connectors/request.ts';
import { connectionDefaults, connectorFor } from '../connectors/resolve.ts';
import type { ConnectorSession } from '../connectors/types.ts';
import type { Clock } from '../core/clock.ts';
import { InvalidInputError } from '../core/errors.ts';
import { isId } from '../core/ids.ts';
import { suggestion } from '../core/input.ts';
import type { CredentialStore } from '../credentials/credentialStore.ts';
import type { SendOutgoing } from '../outgoing/types.ts';
import { tunedSend } from '../performance/tuning/applyTuning.ts';
import type { CurrentTuning } from '../performance/tuning/currentTuning.ts';
import type { Budget } from '../rateLimits/budgets.ts';
import type { Database } from '../store/database.ts';
import type { SyncTarget } from '../sync/runExecution.ts';
import { changeOf } from './auditing.ts';
import { CredentialsForOtherOriginError, IntegrationDisconnectedError, IntegrationNotFoundError } from './errors.ts';
import { findIntegration } from './integrationQueries.ts';
import { configuredBudgets } from './rateBudgets.ts';
import type { Integration, IntegrationConfiguration } from './types.ts';

interface Dependencies {
  readonly database: Database;
  readonly registry: ConnectorRegistry;
  readonly credentials: CredentialStore;
  readonly send: SendOutgoing;
  readonly tuning: CurrentTuning;
  /** Of calls that name no budget. */
  readonly defaultBudget: Budget;
  readonly clock: Clock;
  readonly audit: AuditTrail;
}

/** Opens what a connector needs to talk to its API for one integration: description, credentials, way out. */
export class ConnectorSessions {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** The platform's description, as this configuration completes it. */
  async connector(platform: string, configuration: IntegrationConfiguration): Promise<Connector> {
    const { registry } = this.#deps;
    const connector = await registry.get(platform);
    if (connector === null) {
      const known = (await registry.list()).map((one) => one.platform);
      const detail = `There is no platform ${JSON.stringify(platform)}.${suggestion(platform, known)} Known are: ${known.join(', ')}. For any other REST API take "http".`;
      throw new InvalidInputError(detail, [{ pointer: '/platform', detail }]);
    }
    return connectorFor(connector, configuration);
  }

  /** Where the credentials of an integration with this configuration are sent. */
  origins(connector: Connector, configuration: IntegrationConfiguration): string[] {
    return credentialOrigins({
      connector,
      connection: connectionOf(connector, configuration),
      clock: this.#deps.clock,
    });
  }

  /**
   * A session for one operation. Credentials are read and opened anew each time, so a change counts at once; that
   * they are is recorded before.
   */
  async open(integration: Integration, operationId: string): Promise<ConnectorSession> {
    const { configuration } = integration;
    const connector = await this.connector(integration.platform, configuration);
    const stored = await this.#release(integration, operationId);
    const origins = this.origins(connector, configuration);
    const strange = stored === null ? [] : origins.filter((origin) => !stored.origins.includes(origin));
    if (stored !== null && strange.length > 0)
      throw new CredentialsForOtherOriginError(integration.id, stored.origins, strange);
    const { send, tuning, defaultBudget } = this.#deps;
    const { pageSizePercent, cacheValidators } = await tuning.read(integration.id);
    return {
      // For the whole operation: a page's number means another place with another size.
      connector: withPageSizes(connector, pageSizePercent ?? 100),
      integrationId: integration.id,
      operationId,
      connection: connectionOf(connector, configuration),
      startDate: configuration.startDate,
      authMode: configuration.authMode,
      credentials: stored?.credentials ?? {},
      credentialVersion: stored?.version,
      cacheValidators: cacheValidators ?? connector.cacheValidators,
      budgets: configuredBudgets(configuration.rateLimits),
      send: tunedSend(
        (call) => send({ platform: integration.platform, ...call }),
        () => tuning.recent(integration.id),
        defaultBudget,
      ),
      clock: this.#deps.clock,
    };
  }

  /** The budgets of what this integration sends; undefined: the default. */
  async budgets({ platform, configuration }: Integration): Promise<readonly Budget[] | undefined> {
    return (
      configuredBudgets(configuration.rateLimits) ?? connectorBudgets(await this.connector(platform, configuration))
    );
  }

  /** As `budgets`, for an id that may be none. */
  async budgetsOf(integrationId: string): Promise<readonly Budget[] | undefined> {
    if (!isId('integration', integrationId)) return undefined;
    const integration = await findIntegration(this.#deps.database.db, integrationId);
    return integration === null ? undefined : this.budgets(integration);
  }

  /** What a sync run works on: the integration as it is now, and the way to open sessions for it. */
  async syncTarget(integrationId: string): Promise<SyncTarget> {
    const integration = await findIntegration(this.#deps.database.db, integrationId);
    if (integration === null) throw new IntegrationNotFoundError(integrationId);
    if (integration.status === 'disconnected') throw new IntegrationDisconnectedError(integrationId);
    const connector = await this.connector(integration.platform, integration.configuration);
    const { streamConcurrency } = await this.#deps.tuning.read(integrationId);
    return {
      integration,
      session: (operationId) => this.open(integration, operationId),
      streamConcurrency: takesParallelStreams(connector) ? (streamConcurrency ?? 1) : 1,
    };
  }

  async #release({ id }: Integration, operationId: string) {
    const { credentials, audit, database } = this.#deps;
    return await credentials.loadBound(id, () =>
      audit.record(database.db, { ...changeOf(id, 'credential.released'), details: { operationId } }),
    );
  }
}

function connectionOf(connector: Connector, configuration: IntegrationConfiguration): ConnectorSession['connection'] {
  return { ...connectionDefaults(connector), ...configuration.connection };
}
