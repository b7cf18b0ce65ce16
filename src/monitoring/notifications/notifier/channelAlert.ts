import type { Transaction } from 'kysely';
import type { Schema } from '../../../store/schema.ts';
import { loadPolicies } from '../policyQueries.ts';
import type { Labels } from '../types.ts';
import { alertKeyOf, takeAlerts } from './takeAlerts.ts';

const RULE_ID = 'notifications';
const UNMEASURED = { value: null, condition: '', reason: 'value' } as const;
const TO_ALL = { policyId: null, channelIds: [] };

/** That a channel does not work is an alert like any other, so that the other channels tell of it. */
export async function beginChannelAlert(
  tx: Transaction<Schema>,
  channelId: string,
  channel: string,
  detail: string,
  nowMs: number,
): Promise<void> {
  const labels = {
    alertname: 'Notification channel fails',
    severity: 'error',
    kind: 'system',
    channel,
    channelId,
  };
  const annotations = { summary: `Notifications do not arrive at the channel ${channel}: ${detail}` };
  const began = { kind: 'began', ...named(channelId), labels, annotations, notify: TO_ALL, atMs: nowMs } as const;
  await takeAlerts(tx, [{ ...began, ...UNMEASURED }], await loadPolicies(tx), nowMs);
}

/** Something arrived again, or nothing is to arrive any more. Nothing happens where there is no such alert. */
export async function endChannelAlert(tx: Transaction<Schema>, channelId: string, nowMs: number): Promise<void> {
  const alert = await tx
    .selectFrom('notified_alerts')
    .select(['labels', 'annotations'])
    .where('alert_key', '=', alertKeyOf(named(channelId)))
    .where('ends_at', 'is', null)
    .executeTakeFirst();
  if (alert === undefined) return;
  const { labels, annotations } = alert as { labels: Labels; annotations: Labels };
  const ended = { kind: 'ended', ...named(channelId), labels, annotations, notify: TO_ALL, atMs: nowMs } as const;
  await takeAlerts(tx, [{ ...ended, ...UNMEASURED }], await loadPolicies(tx), nowMs);
}

function named(channelId: string) {
  return { ruleId: RULE_ID, fingerprint: channelId };
}
