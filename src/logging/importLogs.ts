import { sql } from 'kysely';
import { z } from 'zod';
import { acting } from '../audit/acting.ts';
import type { AuditTrail } from '../audit/types.ts';
import type { JsonObject } from '../core/json.ts';
import { Redactor } from '../redaction/redactor.ts';
import type { Database } from '../store/database.ts';
import { ensurePartitions } from '../store/partitions.ts';
import type { LogArchive } from './archive/logArchive.ts';
import { MANIFEST, readManifest, readPiece, unpackLines } from './archive/manifest.ts';
import { cleanText } from './cleanText.ts';
import { LogArchiveError } from './errors.ts';
import { LOG_LIMITS } from './limits.ts';
import { SEVERITIES } from './types.ts';
import { forgetBlocks } from './words/blockQueries.ts';

const BATCH = 2_000;
const DAY_MS = 86_400_000;
const PIECE_NAME = /\.ndjson\.gz$/;

const word = z
  .string()
  .max(LOG_LIMITS.wordChars + 100)
  .nullable();
const lineSchema = z.object({
  seq: z.int().min(1),
  timestamp: z.iso.datetime(),
  observedTimestamp: z.iso.datetime(),
  integrationId: z.string().min(1).max(200),
  severityNumber: z.union(Object.values(SEVERITIES).map((severity) => z.literal(severity))),
  message: z.string().max(LOG_LIMITS.messageChars + 100),
  eventName: word,
  operationId: word,
  requestId: word,
  traceId: word,
  spanId: word,
  attributes: z.record(z.string(), z.unknown()),
});
type Line = z.output<typeof lineSchema>;

export interface ImportResult {
  readonly days: readonly string[];
  readonly records: number;
  /** Of these, those that were not there. */
  readonly added: number;
}

interface Parts {
  readonly database: Database;
  readonly audit: AuditTrail;
}

/**
 * Brings archived records back, under their numbers: those that are there already are passed over, so it may be
 * repeated. Retention leaves their days alone for a time.
 * @param prefix a folder of the archive, or one of its files; '' for all of it
 * @throws LogArchiveError when a file is not what its manifest says; what was imported before it stays
 */
export async function importLogs(
  { database, audit }: Parts,
  archive: LogArchive,
  options: { readonly prefix: string; readonly keepDays: number; readonly signal: AbortSignal },
): Promise<ImportResult> {
  const days = new Set<string>();
  let records = 0;
  let added = 0;
  for await (const lines of piecesOf(archive, options.prefix)) {
    for (let at = 0; at < lines.length; at += BATCH) {
      options.signal.throwIfAborted();
      const batch = lines.slice(at, at + BATCH).map(parseLine);
      for (const day of new Set(batch.map((line) => line.observedTimestamp.slice(0, 10)))) {
        if (days.has(day)) continue;
        days.add(day);
        await keepDay(database, day, options.keepDays);
      }
      records += batch.length;
      added += await insert(database, batch);
    }
  }
  if (records === 0) throw new LogArchiveError('There are no archived logs at that place.');
  const result = { days: [...days].sort(), records, added };
  await audit.record(database.db, {
    ...acting(),
    action: 'logs.imported',
    outcome: 'success',
    target: { kind: 'logs', id: '*' },
    details: { ...result, days: result.days.slice(0, 100) },
  });
  return result;
}

/** The lines of each piece: those that manifests name, and files without one as they are. */
async function* piecesOf(archive: LogArchive, prefix: string): AsyncGenerator<string[]> {
  const names = await archive.list(prefix);
  const folders = new Set(names.map((name) => name.slice(0, name.lastIndexOf('/') + 1)));
  for (const folder of [...folders].sort()) {
    const manifest = await readManifest(archive, folder);
    const wanted = names.filter((name) => name.startsWith(folder) && PIECE_NAME.test(name));
    const known = new Map(manifest?.pieces.map((piece) => [`${folder}${piece.name}`, piece]));
    // Asked for as a whole, it has to be there as a whole.
    if (names.includes(`${folder}${MANIFEST}`))
      for (const name of known.keys()) if (!wanted.includes(name)) wanted.push(name);
    for (const name of wanted.sort()) {
      const piece = known.get(name);
      if (piece !== undefined) yield await readPiece(archive, folder, piece);
      // Written right before a crash, so that no manifest names it; its records are in another one, too.
      else if (manifest === null) yield await unpackLines((await archive.get(name)) ?? Buffer.alloc(0));
    }
  }
}

function parseLine(text: string): Line {
  try {
    return lineSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new LogArchiveError('A line of the archive is no log record.', { cause });
  }
}

/** The archive may have been anywhere meanwhile: what secrets are known now is taken out of it, too. */
const redactor = new Redactor();
const clean = (text: string | null, maxChars: number): string | null =>
  text === null ? null : cleanText(redactor.text(text), maxChars);

async function keepDay(database: Database, day: string, keepDays: number): Promise<void> {
  const keptUntil = new Date(Date.now() + keepDays * DAY_MS);
  // First, so that retention does not drop the partition that comes next.
  await sql`
    insert into log_imports (day, kept_until) values (${day}::date, ${keptUntil})
    on conflict (day) do update set kept_until = greatest(log_imports.kept_until, excluded.kept_until)
  `.execute(database.db);
  await ensurePartitions(database, 'logs', new Date(`${day}T00:00:00Z`), 1);
}

async function insert(database: Database, lines: readonly Line[]): Promise<number> {
  const rows = lines.map((line) => ({
    seq: line.seq,
    observed_at: line.observedTimestamp,
    at: line.timestamp,
    integration_id: cleanText(line.integrationId, 200),
    severity: line.severityNumber,
    message: clean(line.message, LOG_LIMITS.messageChars),
    event_name: clean(line.eventName, LOG_LIMITS.wordChars),
    operation_id: clean(line.operationId, LOG_LIMITS.wordChars),
    request_id: clean(line.requestId, LOG_LIMITS.wordChars),
    trace_id: clean(line.traceId, LOG_LIMITS.wordChars),
    span_id: clean(line.spanId, LOG_LIMITS.wordChars),
    attributes: redactor.object(line.attributes as JsonObject),
  }));
  return await database.transaction(async (tx) => {
    // Into an empty installation the numbers come along; those that are given out later follow them.
    const highest = Math.max(...rows.map(({ seq }) => seq));
    await sql`update log_sequence set next = greatest(next, ${highest + 1})`.execute(tx);
    await forgetBlocks(tx, rows);
    const result = await sql`
      insert into logs select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as t (
        seq bigint, observed_at timestamptz, at timestamptz, integration_id text, severity smallint, message text,
        event_name text, operation_id text, request_id text, trace_id text, span_id text, attributes jsonb
      ) on conflict do nothing`.execute(tx);
    return Number(result.numAffectedRows);
  });
}
