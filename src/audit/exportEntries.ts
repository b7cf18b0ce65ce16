import { stringify } from 'csv-stringify/sync';
import type { Kysely } from 'kysely';
import type { Schema } from '../store/schema.ts';
import type { Checkpoint } from './checkpoint.ts';
import { type AuditFilter, type EntryRow, entryBatches } from './entryQueries.ts';
import { type AuditExportFormat, checkpointLine, EXPORT_FORMAT, entryLine, headerLine } from './exportFormat.ts';
import { toOcsf } from './ocsf.ts';
import { proveInclusion } from './proveEntry.ts';
import { toStoredEntry } from './storedEntry.ts';
import { StoredHashes } from './storedHashes.ts';

export interface ExportSource {
  readonly db: Kysely<Schema>;
  readonly filter: AuditFilter;
  /** Covers what is exported. Null: the log is empty. */
  readonly checkpoint: Checkpoint | null;
  readonly verifierKey: string;
}

/** The chosen entries as text, in pieces, in the order of the tree. */
export function exportEntries(source: ExportSource, format: AuditExportFormat): AsyncGenerator<string> {
  switch (format) {
    case 'jsonl':
      return exportJsonl(source);
    case 'csv':
      return exportCsv(source);
    case 'ocsf':
      return exportOcsf(source);
  }
}

/** Verifies offline: the exact bytes of the events, with a proof for each where only some are chosen. */
async function* exportJsonl({ db, filter, checkpoint, verifierKey }: ExportSource): AsyncGenerator<string> {
  const complete = Object.values(filter).every((value) => value === undefined);
  yield headerLine({ format: EXPORT_FORMAT, verifierKey, complete });
  if (checkpoint === null) return;
  const hashes = new StoredHashes(db);
  for await (const rows of entryBatches(db, filter, checkpoint.size)) {
    let text = '';
    for (const row of rows)
      text += entryLine(row, complete ? undefined : await proveInclusion(hashes, row, checkpoint));
    yield text;
  }
  yield checkpointLine(checkpoint.note);
}

async function* exportOcsf({ db, filter, checkpoint }: ExportSource): AsyncGenerator<string> {
  for await (const rows of entryBatches(db, filter, checkpoint?.size ?? 0)) {
    yield rows.map((row) => `${JSON.stringify(toOcsf(toStoredEntry(row)))}\n`).join('');
  }
}

const CSV_COLUMNS = [
  'seq',
  'id',
  'time',
  'actor_kind',
  'actor_id',
  'actor_user_id',
  'action',
  'outcome',
  'target_kind',
  'target_id',
  'integration_id',
  'address',
  'request_id',
  'user_agent',
  'before',
  'after',
  'details',
];

/**
 * RFC 4180. Text that a spreadsheet would run as a formula gets a leading apostrophe, because parts of events come
 * from outside.
 */
async function* exportCsv({ db, filter, checkpoint }: ExportSource): AsyncGenerator<string> {
  yield toCsv([CSV_COLUMNS]);
  for await (const rows of entryBatches(db, filter, checkpoint?.size ?? 0)) yield toCsv(rows.map(toCells));
}

function toCells(row: EntryRow): (string | number | null)[] {
  const event = toStoredEntry(row);
  const { actor, target, origin } = event;
  const json = (value: unknown) => (value === undefined ? null : JSON.stringify(value));
  return [
    row.seq,
    event.id,
    event.time,
    actor.kind,
    actor.id,
    actor.userId ?? null,
    event.action,
    event.outcome,
    target?.kind ?? null,
    target?.id ?? null,
    event.integrationId ?? null,
    origin?.address ?? null,
    origin?.requestId ?? null,
    origin?.userAgent ?? null,
    json(event.before),
    json(event.after),
    json(event.details),
  ];
}

function toCsv(rows: readonly (string | number | null)[][]): string {
  return stringify(rows as (string | number | null)[][], {
    record_delimiter: '\r\n',
    escape_formulas: true,
    quoted_match: /[\r\n]/,
  });
}
