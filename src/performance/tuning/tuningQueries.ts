import { type Kysely, sql, type Transaction } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import { forgetKnownAnswers } from '../../sync/stateQueries.ts';
import { type Tuning, type TuningSettings, UNTUNED } from './types.ts';

const COLUMNS = {
  pageSizePercent: 'page_size_percent',
  streamConcurrency: 'stream_concurrency',
  rateSharePercent: 'rate_share_percent',
  connectMs: 'connect_ms',
  headersMs: 'headers_ms',
  totalMs: 'total_ms',
  cacheValidators: 'cache_validators',
} as const satisfies Record<keyof TuningSettings, string>;

export async function readTuning(db: Kysely<Schema>, integrationId: string): Promise<Tuning> {
  const row = await db
    .selectFrom('integration_tuning')
    .selectAll()
    .where('integration_id', '=', integrationId)
    .executeTakeFirst();
  if (row === undefined) return UNTUNED;
  return {
    pageSizePercent: row.page_size_percent,
    streamConcurrency: row.stream_concurrency,
    rateSharePercent: row.rate_share_percent,
    connectMs: row.connect_ms,
    headersMs: row.headers_ms,
    totalMs: row.total_ms,
    cacheValidators: row.cache_validators,
    version: row.version,
    updatedAt: row.updated_at?.toISOString() ?? null,
  };
}

/**
 * Keeps everybody else from an integration's tuning and experiments until the transaction ends. Only one of several
 * that come at once sees what was there before.
 */
export async function lockTuning(tx: Transaction<Schema>, integrationId: string): Promise<void> {
  await sql`
    insert into integration_tuning (integration_id) values (${integrationId})
    on conflict (integration_id) do update set version = integration_tuning.version`.execute(tx);
}

/** Sets these, and leaves the others; after `lockTuning`. Where validators are no longer sent, those known are forgotten. */
export async function writeTuning(
  tx: Transaction<Schema>,
  integrationId: string,
  settings: Partial<TuningSettings>,
): Promise<void> {
  const columns = Object.entries(settings).map(
    ([name, value]) => [COLUMNS[name as keyof TuningSettings], value] as const,
  );
  await tx
    .updateTable('integration_tuning')
    .set((eb) => ({ ...Object.fromEntries(columns), version: eb('version', '+', 1), updated_at: sql`now()` }))
    .where('integration_id', '=', integrationId)
    .execute();
  const { cacheValidators } = settings;
  if (cacheValidators === null || cacheValidators === false) await forgetKnownAnswers(tx, integrationId);
}
