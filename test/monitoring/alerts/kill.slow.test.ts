import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { AlertRules } from '../../../src/monitoring/alerts/alertRules.ts';
import { observationOf } from '../../../src/monitoring/alerts/evaluateRule.ts';
import { fingerprintOf } from '../../../src/monitoring/alerts/fingerprint.ts';
import { newInstance, step } from '../../../src/monitoring/alerts/stateMachine.ts';
import type { AlertRule } from '../../../src/monitoring/alerts/types.ts';
import { unheardAudit } from '../../support/audit.ts';
import { useTestDatabase } from '../../support/database.ts';
import { startProgram } from '../../support/processes.ts';
import { answerAt, END_STEP, STEP_MS, TIMELINE_START } from './support/killTimeline.ts';
import { errorRateRule } from './support/rules.ts';

const database = useTestDatabase();
const KILLS = 15;
const PROGRAM = 'monitoring/alerts/fixtures/evaluateTimeline.ts';

/** What becomes of every series when nobody is killed. */
function expectedChanges(rule: AlertRule): string[] {
  const changes: string[] = [];
  const alerts = new Map<string, ReturnType<typeof newInstance>>();
  for (let number = 0; number <= END_STEP; number++) {
    const now = TIMELINE_START + number * STEP_MS;
    for (const one of answerAt(number)) {
      const fingerprint = fingerprintOf(one.labels);
      const before = alerts.get(fingerprint) ?? newInstance(rule.id, fingerprint, one.labels, now);
      const { instance, transition } = step(before, observationOf(one), rule, now, now - STEP_MS);
      alerts.set(fingerprint, instance);
      if (transition !== null) changes.push(`${fingerprint} ${now} ${transition.from}>${transition.to}`);
    }
  }
  return changes.sort();
}

test('kill -9 during evaluation: no transition is lost, and none comes twice', async () => {
  const { pool } = database.current;
  await pool.query(
    `insert into integrations (id, owner, name, type, platform, status, configuration)
     select 'int_' || n, 'o', 'n', 't', 'p', 'connected', '{}' from generate_series(0, 39) n`,
  );
  const service = new AlertRules(database.current, unheardAudit);
  const rules = [
    await service.create(errorRateRule({ threshold: 10 })),
    await service.create(
      errorRateRule({ threshold: 12, recoveryThreshold: 6, forMs: 30_000, keepFiringForMs: 40_000 }),
    ),
    await service.create(errorRateRule({ threshold: 5, noData: 'no_data', forMs: 20_000 })),
    await service.create(errorRateRule({ threshold: 15, op: '>=', noData: 'keep', keepFiringForMs: 20_000 })),
  ];
  let interrupted = 0;
  for (let kill = 0; ; kill++) {
    // As time would do it.
    await pool.query(`update alert_shards set lease_until = now() - interval '1 second'`);
    const program = startProgram(PROGRAM, [database.url]);
    await program.line('from ');
    if (kill === KILLS) {
      await program.line('done');
      break;
    }
    await delay(20 + Math.random() * 400);
    if (program.lines.includes('done')) break;
    await program.kill();
    interrupted++;
  }
  expect(interrupted).toBeGreaterThan(2);

  const { rows } = await pool.query(
    `select seq, rule_id, fingerprint, from_state || '>' || to_state as change, at from alert_changes order by seq`,
  );
  expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index + 1));
  for (const rule of rules) {
    const changes = rows
      .filter(({ rule_id }) => rule_id === rule.id)
      .map(({ fingerprint, at, change }) => `${fingerprint} ${at.getTime()} ${change}`);
    expect(changes.sort()).toEqual(expectedChanges(rule));
    expect(changes.length).toBeGreaterThan(100);
  }
  // What is stored is where the changes lead.
  const { rows: wrong } = await pool.query(
    `select a.state, c.to_state from alert_instances a join lateral (
       select to_state from alert_changes c
       where c.rule_id = a.rule_id and c.fingerprint = a.fingerprint order by seq desc limit 1
     ) c on true where a.state <> c.to_state`,
  );
  expect(wrong).toEqual([]);
});
