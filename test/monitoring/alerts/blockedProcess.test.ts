import { readFile } from 'node:fs/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { silentLog } from '../../../src/core/log.ts';
import { AlertRules } from '../../../src/monitoring/alerts/alertRules.ts';
import { DEFAULT_RULES } from '../../../src/monitoring/alerts/defaultRules.ts';
import { AlertEvaluator } from '../../../src/monitoring/alerts/evaluator.ts';
import { SystemMetrics } from '../../../src/monitoring/metrics/systemMetrics.ts';
import { unheardAudit } from '../../support/audit.ts';
import { useTestDatabase } from '../../support/database.ts';

const database = useTestDatabase();
const START = Date.UTC(2026, 0, 1);
const BLOCKED = { 'system.event_loop': DEFAULT_RULES['system.event_loop']! };
/** As it was before. */
const EARLIER = {
  ...BLOCKED['system.event_loop'],
  aggregation: 'p99',
  windowMs: 300_000,
  forMs: 120_000,
  annotations: { summary: '{{ labels.process }}: the event loop is late by {{ value }} ms.' },
} as const;

beforeEach(async () => {
  await database.current.pool.query(
    `truncate alert_rules, alert_changes, system_minutes cascade;
     update alert_shards set lease_until = null, evaluated_at = null`,
  );
});

/** Evaluates the default rule every minute while a process samples itself every five seconds. Gives its states. */
async function play(delays: readonly number[]): Promise<string[]> {
  const { pool } = database.current;
  await new AlertRules(database.current, unheardAudit).seed(BLOCKED);
  const source = new SystemMetrics(database.current);
  const evaluator = new AlertEvaluator({ database: database.current, source, clock: systemClock, log: silentLog });
  await evaluator.claimAll();
  for (const [index, delay] of delays.entries()) {
    const now = START + index * 5_000;
    await pool.query(
      `insert into system_minutes (bucket, metric, process, samples, latest_at)
       values (date_trunc('minute', $1::timestamptz), 'event_loop_delay_ms', 'web', array[$2::float8], $1)
       on conflict (metric, bucket, process) do update
       set samples = system_minutes.samples || excluded.samples, latest_at = excluded.latest_at`,
      [new Date(now), delay],
    );
    if (now % 60_000 === 0) await evaluator.evaluate(now);
  }
  await evaluator.close();
  const { rows } = await pool.query('select to_state from alert_changes order by seq');
  return rows.map(({ to_state }) => to_state);
}

/** Each delay is seen by two samples. */
const MINUTES = 12;
const quiet = () => Array<number>(MINUTES * 10).fill(2);

describe('the default rule about a blocked process', () => {
  test.each([
    [510, 0],
    [510, 11],
    [60_000, 11],
    [60_000, 30],
  ])('does not fire for one delay of %i ms', async (delay, from) => {
    const delays = quiet();
    delays.fill(delay, from, from + 2);
    expect(await play(delays)).not.toContain('firing');
  });

  test('fires for a process that is blocked again and again', async () => {
    const delays = quiet().map((delay, index) => (index > 24 && index % 3 < 2 ? 900 : delay));
    expect(await play(delays)).toContain('firing');
  });

  test('is what installations have that did not change theirs', async () => {
    const rules = new AlertRules(database.current, unheardAudit);
    const { pool } = database.current;
    const sqlText = await readFile(new URL('../../../migrations/000021_alert_reasons.sql', import.meta.url), 'utf8');
    const update = sqlText.split(/;\s*\n/).find((statement) => statement.includes('system.event_loop'))!;
    await rules.seed({ 'system.event_loop': EARLIER });
    const [rule] = await rules.list({}, null, 10);
    await pool.query(update);
    expect(await rules.get(rule!.id)).toMatchObject({ ...BLOCKED['system.event_loop'], queryVersion: 2 });

    await pool.query('truncate alert_rules cascade');
    await rules.seed({ 'system.event_loop': EARLIER });
    const [changed] = await rules.list({}, null, 10);
    await rules.update(changed!.id, { threshold: 800 });
    await pool.query(update);
    expect(await rules.get(changed!.id)).toMatchObject({ aggregation: 'p99', threshold: 800, windowMs: 300_000 });
  });
});
