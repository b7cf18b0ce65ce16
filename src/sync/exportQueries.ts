import { type Kysely, sql } from 'kysely';
import type { JsonObject } from '../core/json.ts';
import type { Schema } from '../store/schema.ts';

/** Read at a time: rows, and bytes as stored (compressed ones unpack to several times as much). */
const BATCH_ROWS = 500;
const BATCH_BYTES = 2 * 1024 * 1024;

export interface ExportRow {
  record_key: string;
  data: JsonObject;
  updated_at: Date;
  deleted_at: Date | null;
}

/** The records of a stream in the order of their keys, in batches. A record that changes meanwhile comes once. */
export async function* exportBatches(
  db: Kysely<Schema>,
  target: { integrationId: string; stream: string; includeDeleted: boolean },
): AsyncGenerator<ExportRow[]> {
  let after: string | null = null;
  for (;;) {
    const { rows }: { rows: ExportRow[] } = await sql<ExportRow>`
      select record_key, data, updated_at, deleted_at
      from (
        select *, sum(pg_column_size(data)) over (order by record_key) - pg_column_size(data) as bytes_before
        from (
          select record_key, data, updated_at, deleted_at
          from records
          where ${inStream(target)} ${after === null ? sql`` : sql`and record_key > ${after}`}
          order by record_key
          limit ${BATCH_ROWS}
        ) next
      ) sized
      where bytes_before < ${BATCH_BYTES}
      order by record_key`.execute(db);
    if (rows.length === 0) return;
    yield rows;
    after = rows.at(-1)!.record_key;
  }
}

/** Keys looked at in one statement when the fields of a stream are collected. */
const FIELDS_WINDOW = 5_000;

interface FieldsRow {
  fields: string[];
  last: string | null;
  looked_at: number;
}

/** The top-level fields of a stream's records, sorted; read in windows of the key order. */
export async function collectFields(
  db: Kysely<Schema>,
  target: { integrationId: string; stream: string; includeDeleted: boolean },
): Promise<string[]> {
  const fields = new Set<string>();
  let after: string | null = null;
  do {
    const { rows }: { rows: FieldsRow[] } = await sql<FieldsRow>`
      with looked_at as materialized (
        select record_key, data
        from records
        where ${inStream(target)} ${after === null ? sql`` : sql`and record_key > ${after}`}
        order by record_key
        limit ${FIELDS_WINDOW}
      )
      select array(select distinct field from looked_at, jsonb_object_keys(data) as field) as fields,
             (select max(record_key) from looked_at) as last,
             (select count(*)::int from looked_at) as looked_at`.execute(db);
    const found: FieldsRow = rows[0]!;
    for (const field of found.fields) fields.add(field);
    after = found.looked_at < FIELDS_WINDOW ? null : found.last;
  } while (after !== null);
  return [...fields].sort();
}

function inStream(target: { integrationId: string; stream: string; includeDeleted: boolean }) {
  return sql`integration_id = ${target.integrationId} and stream = ${target.stream}
    ${target.includeDeleted ? sql`` : sql`and deleted_at is null`}`;
}
