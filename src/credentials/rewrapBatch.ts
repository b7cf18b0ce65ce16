import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Schema } from '../store/schema.ts';
import { rewrapEnvelope, type WrappingKey } from './envelope.ts';
import { parseEnvelope, writeEnvelope } from './envelopeFormat.ts';
import { CredentialsUnreadableError } from './errors.ts';
import type { InstallationKeys } from './installationKeys.ts';

/** The owner that the audit log's signing keys are sealed for. */
export const AUDIT_KEY_OWNER = 'audit';

/** The owner that the secrets of notification channels are sealed for. */
export const CHANNEL_SECRET_OWNER = 'notifications';

/** A table that keeps envelopes beside the key_id that wraps them. */
export interface SealedTable {
  readonly table: RawBuilder<unknown>;
  readonly id: RawBuilder<unknown>;
  readonly envelope: RawBuilder<unknown>;
  /** The owner that the envelopes are bound to, of a row `t`. */
  readonly owner: RawBuilder<unknown>;
}

const INTEGRATION_OWNER = sql`(select owner from integrations where id = t.integration_id)`;

/** Every table with a foreign key to installation_keys; a test compares with the database. */
export const SEALED_TABLES: readonly SealedTable[] = [
  {
    table: sql.table('credentials'),
    id: sql.ref('integration_id'),
    envelope: sql.ref('envelope'),
    owner: INTEGRATION_OWNER,
  },
  {
    table: sql.table('webhook_endpoints'),
    id: sql.ref('id'),
    envelope: sql.ref('secret_envelope'),
    owner: INTEGRATION_OWNER,
  },
  {
    table: sql.table('second_factors'),
    id: sql.ref('user_id'),
    envelope: sql.ref('secret_envelope'),
    owner: sql.ref('t.user_id'),
  },
  {
    table: sql.table('audit_signing_keys'),
    id: sql.ref('id'),
    envelope: sql.ref('secret_envelope'),
    owner: sql.lit(AUDIT_KEY_OWNER),
  },
  {
    table: sql.table('notification_channels'),
    id: sql.ref('id'),
    envelope: sql.ref('secret_envelope'),
    owner: sql.lit(CHANNEL_SECRET_OWNER),
  },
];

export interface RewrappedBatch {
  readonly rewrapped: number;
  readonly unreadable: number;
  /** Where the next batch goes on; null at the end. */
  readonly lastId: string | null;
}

interface Row {
  readonly id: string;
  readonly envelope: unknown;
  readonly owner: string;
}

/**
 * Rewraps the next `limit` envelopes that `keyId` wraps, in the order of their ids after `afterId`, for the active
 * key. Versions and dates stay: what is stored has not changed. Rows that somebody else has locked are passed over.
 */
export async function rewrapBatch(
  tx: Transaction<Schema>,
  keys: InstallationKeys,
  { table, id, envelope, owner }: SealedTable,
  keyId: string,
  afterId: string,
  limit: number,
): Promise<RewrappedBatch> {
  const to = await keys.active(tx);
  const from = await keys.find(keyId, tx);
  if (from === null) return { rewrapped: 0, unreadable: 0, lastId: null };
  const { rows } = await sql<Row>`
    select t.${id} as id, t.${envelope} as envelope, ${owner} as owner
    from ${table} t
    where t.key_id = ${keyId} and t.${id} > ${afterId}
    order by t.${id}
    limit ${limit}
    for update of t skip locked`.execute(tx);
  const envelopes = await Promise.all(rows.map((row) => rewrap(keys, from, to, row)));
  const done = envelopes.filter((text) => text !== null).length;
  await sql`
    update ${table} t set ${envelope} = rewrapped.envelope::jsonb, key_id = ${to.keyId}
    from unnest(${rows.map((row) => row.id)}::text[], ${envelopes}::text[]) as rewrapped (id, envelope)
    where t.${id} = rewrapped.id and rewrapped.envelope is not null`.execute(tx);
  return { rewrapped: done, unreadable: rows.length - done, lastId: rows.at(-1)?.id ?? null };
}

/** The rewrapped envelope as JSON text; null when its data key cannot be opened. */
async function rewrap(
  { backend }: InstallationKeys,
  from: WrappingKey,
  to: WrappingKey,
  { envelope, owner }: Row,
): Promise<string | null> {
  const parsed = parseEnvelope(envelope);
  if (parsed?.keyId !== from.keyId) return null;
  try {
    return JSON.stringify(writeEnvelope(await rewrapEnvelope(backend, from, to, owner, parsed)));
  } catch (error) {
    if (error instanceof CredentialsUnreadableError) return null;
    throw error;
  }
}
