import { connectorSchema } from '../../../src/connectors/format.ts';
import { planRead, readStream } from '../../../src/connectors/readStream.ts';
import type { ConnectorSession } from '../../../src/connectors/types.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { newId } from '../../../src/core/ids.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { silentLog } from '../../../src/core/log.ts';
import { IntegrationNotFoundError } from '../../../src/integrations/errors.ts';
import { findIntegration, insertIntegration } from '../../../src/integrations/integrationQueries.ts';
import type { IntegrationConfiguration } from '../../../src/integrations/types.ts';
import { createOutgoing } from '../../../src/outgoing/pipeline.ts';
import type { Database } from '../../../src/store/database.ts';
import { SyncService, type SyncServiceOptions } from '../../../src/sync/syncService.ts';
import { unheardAudit } from '../../support/audit.ts';
import { aloneBudgets } from '../../support/budgets.ts';

/** Describes test/sync/support/recordsApi.ts. `items` and `things` are read in full, `events` incrementally. */
export const connector = connectorSchema.parse({
  platform: 'records_api',
  title: 'Records API',
  category: 'test',
  docsUrl: 'https://example.com',
  apiVersion: '1',
  connection: [{ name: 'baseUrl', title: 'Address', type: 'url', required: true }],
  auth: [{ name: 'none', title: 'None', type: 'none' }],
  baseUrl: '{{ config.baseUrl }}',
  check: { path: '/me' },
  retry: { maxAttempts: 1 },
  pagination: { type: 'cursor', param: 'after', recordPath: 'id', hasMorePath: 'more' },
  streams: [
    { name: 'items', title: 'Items', path: '/items', recordsPath: 'items', primaryKey: 'id' },
    {
      name: 'events',
      title: 'Events',
      path: '/events',
      params: { since: '{{ state.cursor }}' },
      recordsPath: 'items',
      primaryKey: 'id',
      pagination: { type: 'page', param: 'page', hasMorePath: 'more' },
      incremental: { cursorField: 'updated_at', order: 'ascending' },
    },
    { name: 'things', title: 'Things', path: '/things', recordsPath: 'items', primaryKey: 'id', default: false },
  ],
});

export async function addIntegration(
  database: Database,
  apiUrl: string,
  configuration: IntegrationConfiguration = {},
): Promise<string> {
  const id = newId('integration');
  await database.transaction((tx) =>
    insertIntegration(tx, {
      id,
      owner: 'default',
      name: 'test',
      type: 'test',
      platform: connector.platform,
      configuration: { ...configuration, connection: { baseUrl: apiUrl } },
    }),
  );
  return id;
}

/** The sync service of one process: real connector, real pipeline, real database. */
export function openSync(
  database: Database,
  {
    session: change = (session) => session,
    ...options
  }: Partial<SyncServiceOptions> & {
    workers?: boolean;
    /** What is different about the sessions of this one. */
    session?: (session: ConnectorSession) => ConnectorSession;
  } = {},
): { readonly sync: SyncService; close(): Promise<void> } {
  const outgoing = createOutgoing({
    clock: systemClock,
    allowedPrivateHosts: ['127.0.0.1'],
    defaultBudget: { maxRequests: 1_000_000, windowMs: 1_000 },
    attempts: { record() {} },
    budgets: aloneBudgets({ clock: systemClock }),
  });
  const sync = new SyncService({
    database,
    clock: systemClock,
    log: silentLog,
    audit: unheardAudit,
    measureWrite: () => {},
    reader: { planRead, readStream },
    resolveTarget: async (integrationId) => {
      const integration = await findIntegration(database.db, integrationId);
      if (integration === null) throw new IntegrationNotFoundError(integrationId);
      const session = async (operationId: string) =>
        change({
          connector,
          integrationId,
          operationId,
          connection: { ...integration.configuration.connection },
          startDate: integration.configuration.startDate,
          credentials: {},
          send: outgoing.send,
          clock: systemClock,
        });
      return { integration, session };
    },
    ...options,
  });
  if (options.workers ?? true) sync.startWorkers();
  return {
    sync,
    close: async () => {
      await sync.close();
      await outgoing.close();
    },
  };
}

export interface StoredRecord {
  readonly key: string;
  readonly data: JsonObject;
  readonly deleted: boolean;
}

/** What is stored of a stream, in key order. */
export async function storedRecords(
  database: Database,
  integrationId: string,
  stream: string,
): Promise<StoredRecord[]> {
  const rows = await database.db
    .selectFrom('records')
    .select(['record_key', 'data', 'deleted_at'])
    .where('integration_id', '=', integrationId)
    .where('stream', '=', stream)
    .orderBy('record_key')
    .execute();
  return rows.map((row) => ({
    key: row.record_key,
    data: row.data as JsonObject,
    deleted: row.deleted_at !== null,
  }));
}

/** Keys of the records that are not deleted. */
export async function liveKeys(database: Database, integrationId: string, stream: string): Promise<string[]> {
  const records = await storedRecords(database, integrationId, stream);
  return records.filter((record) => !record.deleted).map((record) => record.key);
}
