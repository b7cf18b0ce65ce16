import { actAs } from '../audit/acting.ts';
import type { AuditTrail } from '../audit/types.ts';
import { revokeCredentials } from '../connectors/revoke.ts';
import { errorMessage } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import type { CredentialStore } from '../credentials/credentialStore.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Database } from '../store/database.ts';
import type { SyncService } from '../sync/syncService.ts';
import { changeOf, toJson } from './auditing.ts';
import { IntegrationNotFoundError, versionConflict } from './errors.ts';
import {
  findDeletedIntegration,
  findIntegration,
  listDeletedIntegrations,
  markDeleting,
} from './integrationQueries.ts';
import type { ConnectorSessions } from './sessions.ts';
import type { Integration } from './types.ts';

const ERASE_JOB = 'integration.erase';
const ERASURE = { actor: { kind: 'system', id: ERASE_JOB } } as const;
const REVOKE_DEADLINE_MS = 10_000;
/** Leaves the request time to revoke and forget by itself; after a crash the job does both. */
const ERASE_DELAY_MS = 15_000;
const LEFTOVERS_PER_HOUR = 10_000;

interface Dependencies {
  readonly database: Database;
  readonly credentials: CredentialStore;
  readonly sessions: ConnectorSessions;
  readonly sync: SyncService;
  readonly jobs: Jobs;
  readonly log: Log;
  readonly audit: AuditTrail;
}

/**
 * Deletes integrations. In the request: made invisible, syncs ended, credentials revoked where the provider can,
 * and erased. By a job, because a million records do not fit into a request: records, then the row itself.
 * A crash at any point is finished by the job.
 */
export class IntegrationDeletion {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    deps.jobs.define<{ integrationId: string }>(
      ERASE_JOB,
      ({ integrationId }, signal) => actAs(ERASURE, () => this.#erase(integrationId, signal)),
      { deadlineSeconds: 3600, retryLimit: 10 },
    );
    // A job that failed for good, or was lost with a restored database, is made again.
    deps.jobs.define('integration.eraseLeftovers', (_payload, signal) => this.#eraseLeftovers(signal), {
      cron: '47 * * * *',
    });
  }

  /** @throws IntegrationNotFoundError, ConflictError when `version` is given and no longer the stored one */
  async delete(id: string, version?: number): Promise<void> {
    const { database, sync, jobs, audit } = this.#deps;
    const integration = await findIntegration(database.db, id);
    if (integration === null) throw new IntegrationNotFoundError(id);
    await database.transaction(async (tx) => {
      if (!(await markDeleting(tx, id, version)))
        throw version === undefined ? new IntegrationNotFoundError(id) : versionConflict(id, version, null);
      const { name, platform, owner, configuration } = integration;
      await audit.record(tx, {
        ...changeOf(id, 'integration.deleted'),
        before: toJson({ name, platform, owner, configuration }),
      });
      await sync.unschedule(tx, id);
      await jobs.enqueue(ERASE_JOB, { integrationId: id }, { tx, singletonKey: id, delayMs: ERASE_DELAY_MS });
    });
    await this.#forget(integration);
    const fields = { integrationId: id, operationId: newId('operation'), platform: integration.platform };
    this.#deps.log.info('An integration was deleted', { eventName: 'integration.deleted', ...fields });
  }

  async #erase(integrationId: string, signal: AbortSignal): Promise<void> {
    const { database, sync } = this.#deps;
    const integration = await findDeletedIntegration(database.db, integrationId);
    if (integration === null) return;
    await this.#forget(integration);
    await sync.erase(integrationId, signal);
    await database.db
      .deleteFrom('integrations')
      .where('id', '=', integrationId)
      .where('status', '=', 'deleting')
      .execute();
  }

  async #eraseLeftovers(signal: AbortSignal): Promise<void> {
    for (const integrationId of await listDeletedIntegrations(this.#deps.database.db, LEFTOVERS_PER_HOUR)) {
      signal.throwIfAborted();
      await this.#deps.jobs.enqueue(ERASE_JOB, { integrationId }, { singletonKey: integrationId });
    }
  }

  async #forget(integration: Integration): Promise<void> {
    const { database, credentials, sync } = this.#deps;
    await sync.stop(integration.id);
    await this.#revoke(integration);
    await database.transaction(async (tx) => {
      await credentials.erase(tx, integration.id);
      await tx.deleteFrom('webhook_endpoints').where('integration_id', '=', integration.id).execute();
    });
  }

  /** Upstream revocation is tried once: a provider that is down must not keep a secret here alive. */
  async #revoke(integration: Integration): Promise<void> {
    try {
      const session = await this.#deps.sessions.open(integration, newId('operation'));
      await revokeCredentials(session, AbortSignal.timeout(REVOKE_DEADLINE_MS));
    } catch (error) {
      this.#deps.log.warn('The credentials of a deleted integration could not be revoked at the provider', {
        integrationId: integration.id,
        platform: integration.platform,
        reason: errorMessage(error),
      });
    }
  }
}
