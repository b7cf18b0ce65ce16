import type { Log } from '../../core/log.ts';
import { renderAnnotations } from './annotations.ts';
import type { StagedAlert } from './evaluateRule.ts';
import { meaningOf, type Severity } from './types.ts';

/** More changes of one round than these are counted in one record. */
const MAX_RECORDS = 100;

const LEVELS = { critical: 'error', error: 'error', warning: 'warn', info: 'info' } as const satisfies Record<
  Severity,
  keyof Log
>;

/**
 * A record for every alert that began or ended, for after the transaction that stored it has ended: a process that dies
 * in between leaves a record out, and none is written twice.
 */
export function logChanges(log: Log, stored: readonly StagedAlert[]): void {
  let records = 0;
  const left = { firing: 0, resolved: 0 };
  for (const one of stored) {
    const meaning = one.transition === null ? null : meaningOf(one.transition);
    if (meaning !== 'began' && meaning !== 'ended') continue;
    if (records++ < MAX_RECORDS) logChange(log, one, meaning);
    else left[meaning === 'began' ? 'firing' : 'resolved']++;
  }
  if (records > MAX_RECORDS)
    log.warn('More alerts began or ended at once than are logged one by one', { eventName: 'alert.changes', ...left });
}

function logChange(log: Log, { compiled: { rule }, instance }: StagedAlert, meaning: 'began' | 'ended'): void {
  const { integrationId } = instance.labels;
  const { summary } = renderAnnotations(rule, instance);
  const fields = {
    ...(integrationId ? { integrationId } : {}),
    ruleId: rule.id,
    fingerprint: instance.fingerprint,
    alert: rule.name,
    severity: rule.severity,
    state: instance.state,
    reason: instance.reason,
    value: instance.value,
    labels: { ...instance.labels, ...rule.labels },
    // What a rule says of a value says nothing where there is none.
    ...(summary && instance.reason === 'value' ? { summary } : {}),
  };
  if (meaning === 'began')
    log[LEVELS[rule.severity]](`Alert fires: ${rule.name}`, { eventName: 'alert.firing', ...fields });
  else log.info(`Alert resolved: ${rule.name}`, { eventName: 'alert.resolved', ...fields });
}
