import { revokeCredentials } from '../connectors/revoke.ts';
import { errorMessage } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import type { CredentialStore } from '../credentials/credentialStore.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Database } from '../store/database.ts';
import type { SyncService } from '../sync/syncService.ts';
import { IntegrationNotFoundError } from './errors.ts';
import { findIntegration, markDeleting } from './integrationQueries.ts';
import type { ConnectorSessions } from './sessions.ts';
import type { Integration } from './types.ts';

const ERASE_JOB = 'integration.erase';
const REVOKE_DEADLINE_MS = 10_000;
/** Leaves the request time to revoke and forget by itself; after a crash the job does both. */
const ERASE_DELAY_MS = 15_000;

interface Dependencies {
  readonly database: Database;
  readonly credentials: CredentialStore;
  readonly sessions: ConnectorSessions;
  readonly sync: SyncService;
  readonly jobs: Jobs;
  readonly log: Log;
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
    deps.jobs.define<{ integration: Integration }>(
      ERASE_JOB,
      async ({ integration }, signal) => {
        await this.#forget(integration);
        await deps.sync.erase(integration.id, signal);
        await deps.database.db
          .deleteFrom('integrations')
          .where('id', '=', integration.id)
          .where('status', '=', 'deleting')
          .execute();
      },
      { deadlineSeconds: 3600, retryLimit: 10 },
    );
  }

  /** @throws IntegrationNotFoundError */
  async delete(id: string): Promise<void> {
    const { database, sync, jobs } = this.#deps;
    const integration = await findIntegration(database.db, id);
    if (integration === null) throw new IntegrationNotFoundError(id);
    await database.transaction(async (tx) => {
      if (!(await markDeleting(tx, id))) throw new IntegrationNotFoundError(id);
      await sync.unschedule(tx, id);
      await jobs.enqueue(ERASE_JOB, { integration }, { tx, singletonKey: id, delayMs: ERASE_DELAY_MS });
    });
    await this.#forget(integration);
  }

  async #forget(integration: Integration): Promise<void> {
    const { database, credentials, sync } = this.#deps;
    await sync.stop(integration.id);
    await this.#revoke(integration);
    await database.transaction((tx) => credentials.erase(tx, integration.id));
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
