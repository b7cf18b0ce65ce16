import { stringify } from 'csv-stringify/sync';
import type { Kysely } from 'kysely';
import { InvalidInputError } from '../core/errors.ts';
import type { JsonValue } from '../core/json.ts';
import type { Schema } from '../store/schema.ts';
import { collectFields, type ExportRow, exportBatches } from './exportQueries.ts';

const MAX_COLUMNS = 2_000;

interface ExportTarget {
  readonly integrationId: string;
  readonly stream: string;
  readonly includeDeleted: boolean;
}

/** A stream as lines of JSON: `key`, `changedAt`, `deletedAt` and `data` as it is stored. */
export async function* exportNdjson(db: Kysely<Schema>, target: ExportTarget): AsyncGenerator<string> {
  for await (const rows of exportBatches(db, target)) {
    let text = '';
    for (const row of rows) text += `${JSON.stringify(toLine(row))}\n`;
    yield text;
  }
}

/**
 * A stream as CSV (RFC 4180): `_key`, `_changed_at`, `_deleted_at`, then every top-level field that its records
 * had when the export began, sorted. Nested values are JSON text; null and absent are empty.
 *
 * Text that a spreadsheet would run as a formula (it starts with = + - @, tab or carriage return) gets a leading
 * apostrophe, because the data comes from third parties and CSV is opened in spreadsheets; numbers stay as they
 * are. NDJSON is exact.
 *
 * @throws InvalidInputError when the records have more than 2,000 different fields
 */
export async function* exportCsv(db: Kysely<Schema>, target: ExportTarget): AsyncGenerator<string> {
  const fields = await collectFields(db, target);
  if (fields.length > MAX_COLUMNS) {
    const detail = `The records of this stream have ${fields.length} different fields; CSV takes at most ${MAX_COLUMNS}. Export it as ndjson.`;
    throw new InvalidInputError(detail, [{ pointer: '/format', detail }]);
  }
  yield toCsv([['_key', '_changed_at', '_deleted_at', ...fields]]);
  for await (const rows of exportBatches(db, target)) {
    yield toCsv(
      rows.map((row) => [
        row.record_key,
        row.updated_at.toISOString(),
        row.deleted_at?.toISOString() ?? null,
        ...fields.map((field) => toCell(Object.hasOwn(row.data, field) ? row.data[field] : null)),
      ]),
    );
  }
}

function toLine({ record_key, updated_at, deleted_at, data }: ExportRow) {
  return { key: record_key, changedAt: updated_at.toISOString(), deletedAt: deleted_at?.toISOString() ?? null, data };
}

function toCsv(rows: readonly (string | number | null)[][]): string {
  return stringify(rows as (string | number | null)[][], {
    record_delimiter: '\r\n',
    escape_formulas: true,
    quoted_match: /[\r\n]/,
  });
}

function toCell(value: JsonValue | undefined): string | number | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'object' || typeof value === 'boolean') return JSON.stringify(value);
  return value;
}
