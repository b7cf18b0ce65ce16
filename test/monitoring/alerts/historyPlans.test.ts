import { beforeAll, expect, it } from 'vitest';
import { type AlertHistoryFilter, listAlertHistory } from '../../../src/monitoring/alerts/alertHistory.ts';
import { useTestDatabase } from '../../support/database.ts';
import { indexesUsed } from '../../sync/support/plans.ts';

const database = useTestDatabase();

beforeAll(async () => {
  await database.current.pool.query(
    `insert into alert_changes (seq, rule_id, fingerprint, rule_name, kind, severity, from_state, to_state, reason, labels,
       annotations, notify, integration_id, evidence, at)
     select n, 'arl_' || n % 1000, n % 7, 'Rule', case when n % 5000 = 0 then 'security' else 'system' end, 'error', 'normal',
       'firing', 'value', '{}', '{}', '{}', 'int_' || n % 2000, '{}', timestamptz '2026-01-01' + n * interval '10 seconds'
     from generate_series(1, 100000) n`,
  );
  await database.current.pool.query('analyze alert_changes');
});

it.each<[string, AlertHistoryFilter]>([
  ['alert_changes_by_time', {}],
  ['alert_changes_by_time', { since: new Date('2026-01-03'), until: new Date('2026-01-04'), state: 'firing' }],
  ['alert_changes_by_rule', { ruleId: 'arl_7' }],
  ['alert_changes_by_integration', { integrationId: 'int_7' }],
  ['alert_changes_by_kind', { kind: 'security' }],
])('a page of the history is read along %s alone, filtered by %o', async (index, filter) => {
  const before = { atMs: Date.UTC(2026, 0, 5), seq: 34_000 };
  for (const position of [null, before]) {
    const list = (db: Parameters<typeof listAlertHistory>[0]) =>
      listAlertHistory(db, filter, { kind: 'all' }, position, 50);
    expect(await indexesUsed(database.current.pool, list)).toEqual([index]);
  }
});
