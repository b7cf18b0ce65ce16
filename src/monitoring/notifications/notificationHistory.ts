import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import type { NotificationMessage } from './message.ts';
import { titleOf } from './messageText.ts';

/** Attempts given with a notification, the latest ones. */
const MAX_ATTEMPTS_SHOWN = 20;

interface NotificationAttempt {
  readonly attempt: number;
  readonly at: string;
  readonly durationMs: number;
  readonly ok: boolean;
  /** Of HTTP. */
  readonly status: number | null;
  readonly detail: string;
}

/** A notification and what came of it. Times are ISO 8601. */
export interface NotificationRecord {
  readonly id: string;
  readonly groupId: string;
  readonly policyId: string;
  readonly channelId: string;
  readonly channelName: string;
  readonly reason: string;
  readonly title: string;
  readonly alertStatus: 'firing' | 'resolved';
  readonly firingCount: number;
  readonly resolvedCount: number;
  readonly status: 'pending' | 'delivered' | 'failed';
  /** The notification that this one stands in for. */
  readonly fallbackOf: string | null;
  readonly attemptCount: number;
  /** The latest 20, newest first. */
  readonly attempts: readonly NotificationAttempt[];
  readonly lastError: string | null;
  readonly nextAttemptAt: string | null;
  readonly createdAt: string;
  readonly finishedAt: string | null;
}

export interface HistoryFilter {
  readonly channelId?: string;
  readonly status?: 'pending' | 'delivered' | 'failed';
}

/** Newest first; `before` is the last id of the page before. */
export async function listNotifications(
  db: Kysely<Schema>,
  { channelId, status, limit, before }: HistoryFilter & { limit: number; before?: string },
): Promise<NotificationRecord[]> {
  let query = db.selectFrom('notifications').selectAll().orderBy('id', 'desc').limit(limit);
  if (channelId !== undefined) query = query.where('channel_id', '=', channelId);
  if (status !== undefined) query = query.where('status', '=', status);
  if (before !== undefined) query = query.where('id', '<', before);
  const rows = await query.execute();
  const attempts = await readAttempts(
    db,
    rows.map((row) => row.id),
  );
  return rows.map((row) => {
    const message = row.message as NotificationMessage;
    return {
      id: row.id,
      groupId: row.group_id,
      policyId: row.policy_id,
      channelId: row.channel_id,
      channelName: row.channel_name,
      reason: row.reason,
      title: titleOf(message),
      alertStatus: message.status,
      firingCount: message.firingCount,
      resolvedCount: message.resolvedCount,
      status: row.status,
      fallbackOf: row.fallback_of,
      attemptCount: row.attempts,
      attempts: attempts.get(row.id) ?? [],
      lastError: row.last_error,
      nextAttemptAt: row.status === 'pending' ? row.due_at.toISOString() : null,
      createdAt: row.created_at.toISOString(),
      finishedAt: row.finished_at?.toISOString() ?? null,
    };
  });
}

async function readAttempts(db: Kysely<Schema>, ids: readonly string[]): Promise<Map<string, NotificationAttempt[]>> {
  const { rows } = await sql<{
    notification_id: string;
    attempt: number;
    at: Date;
    duration_ms: number;
    ok: boolean;
    status: number | null;
    detail: string;
  }>`
    select a.* from unnest(${[...ids]}::text[]) as n (id)
    cross join lateral (
      select * from notification_attempts
      where notification_id = n.id order by attempt desc limit ${MAX_ATTEMPTS_SHOWN}
    ) a`.execute(db);
  const byId = new Map<string, NotificationAttempt[]>();
  for (const row of rows) {
    const { attempt, ok, status, detail } = row;
    const list = byId.get(row.notification_id) ?? [];
    list.push({ attempt, at: row.at.toISOString(), durationMs: row.duration_ms, ok, status, detail });
    byId.set(row.notification_id, list);
  }
  return byId;
}
