import { type Kysely, sql, type Transaction } from 'kysely';
import type { Schema } from '../store/schema.ts';
import type { Checkpoint } from './checkpoint.ts';
import { AuditTamperedError } from './errors.ts';
import type { SearchColumns } from './event.ts';

export interface PendingRow {
  readonly id: string;
  readonly event: Buffer;
}

export interface NewEntry extends SearchColumns {
  readonly seq: number;
  readonly event: Buffer;
  readonly leafHash: Buffer;
}

export interface StoredNode {
  readonly level: number;
  readonly index: number;
  readonly hash: Buffer;
}

export interface TreeRow {
  readonly size: number;
  readonly frontier: Buffer;
  readonly signed_size: number;
  /** Milliseconds since there are entries that no checkpoint covers; 0 when there are none. */
  readonly unsigned_ms: number;
}

export interface Work {
  readonly pending: boolean;
  readonly unsignedMs: number;
  /** How many entries the newest checkpoint covers. */
  readonly signedSize: number;
}

/** Whether there is anything to move or to sign, without a lock. @throws AuditTamperedError */
export async function findWork(db: Kysely<Schema>): Promise<Work> {
  const { rows } = await sql<{ pending: boolean; unsigned_ms: number; signed_size: number }>`
    select exists (select from audit_pending) as pending, signed_size,
           coalesce(extract(epoch from now() - unsigned_since) * 1000, 0)::float8 as unsigned_ms
    from audit_tree`.execute(db);
  const [row] = rows;
  if (row === undefined) throw treeIsGone();
  return { pending: row.pending, unsignedMs: row.unsigned_ms, signedSize: row.signed_size };
}

/**
 * Locks the tree until the transaction ends; null while another sequencer has it, unless `wait`.
 * @throws AuditTamperedError
 */
export async function lockTree(tx: Transaction<Schema>, { wait }: { wait: boolean }): Promise<TreeRow | null> {
  const { rows } = await sql<TreeRow>`
    select size, frontier, signed_size,
           coalesce(extract(epoch from now() - unsigned_since) * 1000, 0)::float8 as unsigned_ms
    from audit_tree
    for update ${wait ? sql`` : sql`skip locked`}`.execute(tx);
  if (rows[0] === undefined && wait) throw treeIsGone();
  return rows[0] ?? null;
}

function treeIsGone(): AuditTamperedError {
  return new AuditTamperedError(
    'The row of audit_tree is gone, which nothing of this program removes. Restore it from a backup; what is recorded meanwhile waits in audit_pending.',
  );
}

/** Takes the oldest of what is pending, in the order of the ids. Only who has the tree locked may. */
export async function takePending(tx: Transaction<Schema>, limit: number): Promise<PendingRow[]> {
  const { rows } = await sql<PendingRow>`
    delete from audit_pending
    where id = any(array(select id from audit_pending order by id limit ${limit}))
    returning id, event`.execute(tx);
  return rows.sort((a, b) => (a.id < b.id ? -1 : 1));
}

export async function insertEntries(tx: Transaction<Schema>, entries: readonly NewEntry[]): Promise<void> {
  const column = <T>(value: (entry: NewEntry) => T): T[] => entries.map(value);
  await sql`
    insert into audit_entries (
      seq, id, event, leaf_hash, occurred_at, actor_kind, actor_id, action, outcome, target_kind, target_id, integration_id
    )
    select * from unnest(
      ${column((one) => one.seq)}::bigint[],
      ${column((one) => one.id)}::text[],
      ${column((one) => one.event)}::bytea[],
      ${column((one) => one.leafHash)}::bytea[],
      ${column((one) => one.occurred_at)}::timestamptz[],
      ${column((one) => one.actor_kind)}::text[],
      ${column((one) => one.actor_id)}::text[],
      ${column((one) => one.action)}::text[],
      ${column((one) => one.outcome)}::text[],
      ${column((one) => one.target_kind)}::text[],
      ${column((one) => one.target_id)}::text[],
      ${column((one) => one.integration_id)}::text[]
    )`.execute(tx);
}

export async function insertNodes(tx: Transaction<Schema>, nodes: readonly StoredNode[]): Promise<void> {
  if (nodes.length === 0) return;
  await tx
    .insertInto('audit_nodes')
    .values(nodes.map(({ level, index, hash }) => ({ level, idx: index, hash })))
    .execute();
}

export async function updateTree(tx: Transaction<Schema>, size: number, frontier: Buffer): Promise<void> {
  await sql`
    update audit_tree
    set size = ${size}, frontier = ${frontier}, unsigned_since = coalesce(unsigned_since, now())`.execute(tx);
}

export async function insertCheckpoint(tx: Transaction<Schema>, { size, root, note }: Checkpoint): Promise<void> {
  await tx.insertInto('audit_checkpoints').values({ tree_size: size, root_hash: root, note }).execute();
  await sql`update audit_tree set signed_size = ${size}, unsigned_since = null`.execute(tx);
}
