import { sql } from 'kysely';
import { type IntegrationLog, SEVERITIES } from '../../src/logging/types.ts';
import type { Database } from '../../src/store/database.ts';

export type LogDraft = Partial<Omit<IntegrationLog, 'seq' | 'severityNumber'>>;

/** Commits records as the store does: their numbers are taken in the transaction that inserts them. */
export async function writeLogs(database: Database, drafts: readonly LogDraft[]): Promise<number[]> {
  return await database.transaction(async (tx) => {
    const { next } = await tx
      .updateTable('log_sequence')
      .set({ next: sql`next + ${drafts.length}` })
      .returning('next')
      .executeTakeFirstOrThrow();
    const first = Number(next) - drafts.length;
    const rows = drafts.map((draft, index) => rowOf(draft, first + index));
    if (rows.length > 0)
      await sql`insert into logs select * from jsonb_populate_recordset(null::logs, ${JSON.stringify(rows)}::jsonb)`.execute(
        tx,
      );
    return rows.map(({ seq }) => seq);
  });
}

function rowOf(draft: LogDraft, seq: number) {
  const observed_at = draft.observedTimestamp ?? new Date().toISOString();
  return {
    seq,
    observed_at,
    at: draft.timestamp ?? observed_at,
    integration_id: draft.integrationId ?? 'system',
    severity: SEVERITIES[draft.level ?? 'info'],
    message: draft.message ?? `message ${seq}`,
    event_name: draft.eventName ?? null,
    operation_id: draft.operationId ?? null,
    request_id: draft.requestId ?? null,
    trace_id: draft.traceId ?? null,
    span_id: draft.spanId ?? null,
    attributes: draft.attributes ?? {},
  };
}
