import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Schema } from '../store/schema.ts';

/** What entries are chosen by; everything given has to hold. */
export interface AuditFilter {
  /** Not before this time. */
  readonly since?: Date;
  /** Before this time. */
  readonly until?: Date;
  /** Id of a user or key, or the name of another actor. */
  readonly actor?: string;
  readonly action?: string;
  readonly outcome?: string;
  readonly integrationId?: string;
  /** Id of what it was done to. */
  readonly target?: string;
}

export interface EntryRow {
  readonly seq: number;
  readonly event: Buffer;
  readonly leaf_hash: Buffer;
  readonly occurred_at: Date;
}

/** Where a page of the list ends. */
export interface ListPosition {
  readonly occurredAt: Date;
  readonly seq: number;
}

/** Newest first. */
export async function listEntries(
  db: Kysely<Schema>,
  filter: AuditFilter,
  limit: number,
  before: ListPosition | null,
): Promise<EntryRow[]> {
  const conditions = conditionsOf(filter);
  if (before !== null) conditions.push(sql`(occurred_at, seq) < (${before.occurredAt}, ${before.seq})`);
  const { rows } = await sql<EntryRow>`
    select seq, event, leaf_hash, occurred_at
    from audit_entries
    ${whereAll(conditions)}
    order by occurred_at desc, seq desc
    limit ${limit}`.execute(db);
  return rows;
}

/** Read at a time for an export: rows, and bytes. */
const BATCH_ROWS = 1_000;
const BATCH_BYTES = 4 * 1024 * 1024;

/** The chosen entries before `end` in the order of the tree, in batches. */
export async function* entryBatches(db: Kysely<Schema>, filter: AuditFilter, end: number): AsyncGenerator<EntryRow[]> {
  for (let next = 0; ; ) {
    const conditions = [...conditionsOf(filter), sql`seq >= ${next}`, sql`seq < ${end}`];
    const { rows }: { rows: EntryRow[] } = await sql<EntryRow>`
      select seq, event, leaf_hash, occurred_at
      from (
        select *, sum(length(event)) over (order by seq) - length(event) as bytes_before
        from (
          select seq, event, leaf_hash, occurred_at
          from audit_entries
          ${whereAll(conditions)}
          order by seq
          limit ${BATCH_ROWS}
        ) next
      ) sized
      where bytes_before < ${BATCH_BYTES}
      order by seq`.execute(db);
    if (rows.length === 0) return;
    yield rows;
    next = rows.at(-1)!.seq + 1;
  }
}

/** By id or number; null when there is none in the tree (yet). */
export async function findEntry(db: Kysely<Schema>, reference: string): Promise<EntryRow | null> {
  const query = db.selectFrom('audit_entries').select(['seq', 'event', 'leaf_hash', 'occurred_at']);
  const row = /^\d{1,15}$/.test(reference)
    ? await query.where('seq', '=', Number(reference)).executeTakeFirst()
    : await query.where('id', '=', reference).orderBy('seq').limit(1).executeTakeFirst();
  return row ?? null;
}

export interface CheckpointRow {
  readonly tree_size: number;
  readonly note: string;
  readonly created_at: Date;
}

/** Newest first. */
export async function listCheckpoints(
  db: Kysely<Schema>,
  limit: number,
  before: number | null,
): Promise<CheckpointRow[]> {
  const query = db
    .selectFrom('audit_checkpoints')
    .select(['tree_size', 'note', 'created_at'])
    .orderBy('tree_size', 'desc')
    .limit(limit);
  return await (before === null ? query : query.where('tree_size', '<', before)).execute();
}

function conditionsOf(filter: AuditFilter): RawBuilder<unknown>[] {
  const conditions: RawBuilder<unknown>[] = [];
  if (filter.since !== undefined) conditions.push(sql`occurred_at >= ${filter.since}`);
  if (filter.until !== undefined) conditions.push(sql`occurred_at < ${filter.until}`);
  if (filter.actor !== undefined) conditions.push(sql`actor_id = ${filter.actor}`);
  if (filter.action !== undefined) conditions.push(sql`action = ${filter.action}`);
  if (filter.outcome !== undefined) conditions.push(sql`outcome = ${filter.outcome}`);
  if (filter.integrationId !== undefined) conditions.push(sql`integration_id = ${filter.integrationId}`);
  if (filter.target !== undefined) conditions.push(sql`target_id = ${filter.target}`);
  return conditions;
}

function whereAll(conditions: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  return conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`;
}
