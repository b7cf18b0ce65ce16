import type { RateBudgets } from '../rateLimits/budgets.ts';
import type { SyncService } from '../sync/syncService.ts';
import type { SyncOptions, SyncResult } from '../sync/types.ts';
import type { IntegrationCatalog } from './catalog.ts';
import type { IntegrationConnections } from './connections.ts';
import type { IntegrationDeletion } from './deletion.ts';
import { IntegrationDisconnectedError } from './errors.ts';
import type { ConnectorSessions } from './sessions.ts';
import type {
  ConnectionTestResult,
  CreateIntegrationData,
  HealthCheckResult,
  Integration,
  IntegrationMetrics,
  RateLimitResult,
  UpdateIntegrationData,
  WebhookConfig,
} from './types.ts';
import type { WebhookEndpoints } from './webhookEndpoints.ts';

interface Dependencies {
  readonly catalog: IntegrationCatalog;
  readonly connections: IntegrationConnections;
  readonly deletion: IntegrationDeletion;
  readonly webhooks: WebhookEndpoints;
  readonly sync: SyncService;
  readonly sessions: ConnectorSessions;
  readonly budgets: RateBudgets;
}

/**
 * Integrations and everything done with them.
 *
 * An unknown id makes `getIntegrationById` give null and every other method throw `IntegrationNotFoundError`.
 * Wrong input throws `InvalidInputError` with every problem; nothing is changed then.
 */
export class IntegrationService {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** Stores a new integration with status `pending`; credentials are encrypted and never returned. */
  createIntegration(data: CreateIntegrationData): Promise<Integration> {
    return this.#deps.catalog.create(data);
  }

  /** Every integration, in the order they were made. For pages, use `catalog.list` or the REST API. */
  async getIntegrations(): Promise<Integration[]> {
    const all: Integration[] = [];
    for await (const integration of this.#deps.catalog.all()) all.push(integration);
    return all;
  }

  getIntegrationById(id: string): Promise<Integration | null> {
    return this.#deps.catalog.find(id);
  }

  /** @throws ConflictError when somebody else changed it since `data.version`, or at the same time */
  updateIntegration(id: string, data: UpdateIntegrationData): Promise<Integration> {
    return this.#deps.catalog.update(id, data);
  }

  /**
   * Ends its syncs, revokes the credentials at the provider where that is possible, and erases them.
   * When it resolves the integration is gone for every reader; its records are erased in the background.
   * @throws ConflictError when it is no longer of `options.version`; nothing was deleted
   */
  deleteIntegration(id: string, options: { version?: number } = {}): Promise<void> {
    return this.#deps.deletion.delete(id, options.version);
  }

  /** Proves the stored credentials of this integration with a request that fails without them. Never throws for what the provider does. */
  async testConnection(integration: Integration): Promise<ConnectionTestResult> {
    return this.#deps.connections.test(await this.#deps.catalog.get(integration.id));
  }

  /** Tests the connection and, when it works, sets the integration to `connected`. @throws ConnectionFailedError */
  async connectIntegration(id: string): Promise<void> {
    await this.#deps.connections.connect(await this.#deps.catalog.get(id));
  }

  /** Ends syncs and their schedule; nothing more is sent to the provider until it is connected again. */
  async disconnectIntegration(id: string): Promise<void> {
    await this.#deps.connections.disconnect(await this.#deps.catalog.get(id));
  }

  /** Schedules by `configuration.syncFrequency` and starts a run now; does not wait for it. */
  async startSync(id: string): Promise<void> {
    const { configuration } = await this.#connected(id);
    await this.#deps.sync.start(id, configuration.syncFrequency ?? 'manual', configuration.timezone ?? 'UTC');
    // Disconnected in between: a schedule must not outlive that.
    await this.#connected(id).catch(async (error: unknown) => {
      await this.#deps.sync.halt(id);
      throw error;
    });
  }

  /** Ends the schedule and, within two seconds, a run under way. What was written stays; the next run goes on from it. */
  async stopSync(id: string): Promise<void> {
    await this.#deps.catalog.get(id);
    await this.#deps.sync.halt(id);
  }

  /** Runs one sync and waits for its end. A run already under way is joined. A failed run is answered, not thrown. */
  async syncIntegration(id: string, options: SyncOptions = {}): Promise<SyncResult> {
    await this.#connected(id);
    return this.#deps.sync.run(id, options);
  }

  /** Syncs every integration that is not disconnected, with bounded concurrency; one result each. */
  async syncAll(options: Pick<SyncOptions, 'signal'> = {}): Promise<SyncResult[]> {
    const ids: string[] = [];
    for await (const { id, status } of this.#deps.catalog.all()) if (status !== 'disconnected') ids.push(id);
    return this.#deps.sync.runAll(ids, options);
  }

  /** Tests the connection and judges it with the breaker, the last run and the errors of the last 24 hours. */
  async checkIntegrationHealth(id: string): Promise<HealthCheckResult> {
    return this.#deps.connections.health(await this.#deps.catalog.get(id));
  }

  async getIntegrationMetrics(id: string): Promise<IntegrationMetrics> {
    await this.#deps.catalog.get(id);
    return this.#deps.connections.metrics(id);
  }

  getWebhooks(integrationId: string): Promise<WebhookConfig[]> {
    return this.#deps.webhooks.list(integrationId);
  }

  async addWebhook(integrationId: string, webhook: WebhookConfig): Promise<void> {
    await this.#deps.webhooks.add(integrationId, webhook);
  }

  updateWebhook(webhookId: string, webhook: Partial<WebhookConfig>): Promise<void> {
    return this.#deps.webhooks.update(webhookId, webhook);
  }

  deleteWebhook(webhookId: string): Promise<void> {
    return this.#deps.webhooks.delete(webhookId);
  }

  /**
   * Asks the integration's own budget, which its syncs and tests share on every replica, for one call and takes it when
   * allowed; `RateLimitingService.checkRateLimit(id, 'api_call')` asks the same. `action` names what the call is for.
   */
  async checkRateLimit(integrationId: string, action: string): Promise<RateLimitResult> {
    const { catalog, sessions, budgets } = this.#deps;
    const integration = await catalog.get(integrationId);
    const state = await budgets.check(integrationId, (await sessions.budgets(integration)) ?? []);
    return {
      action,
      allowed: state.allowed,
      limit: state.limit,
      remaining: state.remaining,
      resetAt: new Date(state.resetAtMs).toISOString(),
      retryAfter: Math.ceil(state.retryAfterMs / 1000),
    };
  }

  async #connected(id: string): Promise<Integration> {
    const integration = await this.#deps.catalog.get(id);
    if (integration.status === 'disconnected') throw new IntegrationDisconnectedError(id);
    return integration;
  }
}
