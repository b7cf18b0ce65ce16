import type { Kysely, Selectable, Transaction } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import { type Scope, toScope } from '../decisions/scope.ts';
import { REQUEST_KEPT_MS } from './limits.ts';

/** More rights for a short time, asked for by one person and opened by another. */
export interface BreakGlass {
  readonly id: string;
  readonly userId: string;
  /** Names and patterns; what stays closed is not among what they open. */
  readonly permissions: readonly string[];
  readonly scope: Scope;
  readonly reason: string;
  readonly durationSeconds: number;
  readonly status: 'requested' | 'active' | 'expired' | 'ended';
  /** ISO 8601. */
  readonly requestedAt: string;
  readonly approvedBy: string | null;
  readonly approvedAt: string | null;
  readonly expiresAt: string | null;
  readonly endedBy: string | null;
  readonly endedAt: string | null;
}

/** Up to `limit` requests after the id `after`, in the order they were made; of everybody when `userId` is null. */
export async function listBreakGlass(
  db: Kysely<Schema>,
  userId: string | null,
  page: { readonly after: string | null; readonly limit: number; readonly nowMs: number },
): Promise<BreakGlass[]> {
  let query = db.selectFrom('break_glass').selectAll().orderBy('id').limit(page.limit);
  if (userId !== null) query = query.where('user_id', '=', userId);
  if (page.after !== null) query = query.where('id', '>', page.after);
  return (await query.execute()).map((row) => toBreakGlass(row, page.nowMs));
}

/** Null when there is none of this id. */
export async function lockBreakGlass(tx: Transaction<Schema>, id: string, nowMs: number): Promise<BreakGlass | null> {
  const row = await tx.selectFrom('break_glass').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  return row === undefined ? null : toBreakGlass(row, nowMs);
}

/** How many of a user's requests are neither ended nor past their time, at most `limit`. */
export async function countOpenBreakGlass(
  tx: Transaction<Schema>,
  userId: string,
  nowMs: number,
  limit: number,
): Promise<number> {
  const rows = await tx
    .selectFrom('break_glass')
    .select('id')
    .where('user_id', '=', userId)
    .where('ended_at', 'is', null)
    .where((eb) =>
      eb.or([
        eb('expires_at', '>', new Date(nowMs)),
        eb.and([eb('expires_at', 'is', null), eb('requested_at', '>', new Date(nowMs - REQUEST_KEPT_MS))]),
      ]),
    )
    .limit(limit)
    .execute();
  return rows.length;
}

export function toBreakGlass(row: Selectable<Schema['break_glass']>, nowMs: number): BreakGlass {
  return {
    id: row.id,
    userId: row.user_id,
    permissions: row.permissions,
    scope: toScope(row.scope_kind, row.scope_value),
    reason: row.reason,
    durationSeconds: row.duration_seconds,
    status: statusOf(row, nowMs),
    requestedAt: row.requested_at.toISOString(),
    approvedBy: row.approved_by,
    approvedAt: row.approved_at?.toISOString() ?? null,
    expiresAt: row.expires_at?.toISOString() ?? null,
    endedBy: row.ended_by,
    endedAt: row.ended_at?.toISOString() ?? null,
  };
}

/** Not stored: time changes it without anybody writing. */
function statusOf(row: Selectable<Schema['break_glass']>, nowMs: number): BreakGlass['status'] {
  if (row.ended_at !== null) return 'ended';
  const untilMs = row.expires_at?.getTime() ?? row.requested_at.getTime() + REQUEST_KEPT_MS;
  if (untilMs <= nowMs) return 'expired';
  return row.expires_at === null ? 'requested' : 'active';
}
