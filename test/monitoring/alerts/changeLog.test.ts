import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { type Log, silentLog } from '../../../src/core/log.ts';
import { AlertRules } from '../../../src/monitoring/alerts/alertRules.ts';
import { AlertEvaluator } from '../../../src/monitoring/alerts/evaluator.ts';
import { unheardAudit } from '../../support/audit.ts';
import { useTestDatabase } from '../../support/database.ts';
import { ArraySource, sample } from './support/arraySource.ts';
import { errorRateRule } from './support/rules.ts';

const database = useTestDatabase();
const START = Date.UTC(2026, 0, 1);
const at = (seconds: number) => START + seconds * 1_000;

let rules: AlertRules;
let source: ArraySource;
let logged: [level: string, message: string, fields: Record<string, unknown>][];
const open: AlertEvaluator[] = [];

async function replica(): Promise<AlertEvaluator> {
  const note = (level: string) => (message: string, fields?: object) => logged.push([level, message, { ...fields }]);
  const log: Log = { ...silentLog, info: note('info'), warn: note('warn'), error: note('error') };
  const evaluator = new AlertEvaluator({ database: database.current, source, clock: systemClock, log });
  open.push(evaluator);
  await evaluator.claimAll();
  return evaluator;
}

beforeEach(async () => {
  rules = new AlertRules(database.current, unheardAudit);
  source = new ArraySource(() => []);
  logged = [];
  await database.current.pool.query(
    `truncate alert_rules, alert_changes cascade;
     update alert_shards set lease_until = null, evaluated_at = null;
     update alert_counters set value = 0 where name = 'changes'`,
  );
});
afterEach(async () => {
  for (const evaluator of open.splice(0)) await evaluator.close();
});

test('an alert that fires and its end are logged once each, with the integration, as loud as they are bad', async () => {
  const annotations = { summary: '{{ value }} % fail' };
  const rule = await rules.create(
    errorRateRule({ severity: 'warning', forMs: 10_000, keepFiringForMs: 10_000, annotations }),
  );
  const evaluator = await replica();
  source.answer = () => [sample('int_a', 7)];
  for (const second of [0, 10, 20]) await evaluator.evaluate(at(second));
  expect(logged).toEqual([
    [
      'warn',
      'Alert fires: Many errors',
      expect.objectContaining({
        eventName: 'alert.firing',
        integrationId: 'int_a',
        ruleId: rule.id,
        severity: 'warning',
        value: 7,
        summary: '7 % fail',
      }),
    ],
  ]);
  source.answer = () => [];
  for (const second of [30, 40, 50]) await evaluator.evaluate(at(second));
  expect(logged).toHaveLength(2);
  expect(logged[1]).toMatchObject([
    'info',
    'Alert resolved: Many errors',
    { eventName: 'alert.resolved', integrationId: 'int_a', reason: 'no_data' },
  ]);
});

test('a replica that lost its shards logs nothing of what it could not store', async () => {
  await rules.create(errorRateRule());
  const [late] = [await replica()];
  source.answer = async () => {
    // Another replica takes the shards while the first one asks.
    source.answer = () => [sample('int_a', 7)];
    await database.current.pool.query('update alert_shards set lease_until = null');
    const owner = await replica();
    await owner.evaluate(at(0));
    return [sample('int_a', 7)];
  };
  await late!.evaluate(at(0));
  expect(logged.map(([, , { eventName }]) => eventName)).toEqual(['alert.firing']);
});

test('of very many alerts at once a hundred are logged, and the rest is counted', async () => {
  await rules.create(errorRateRule({ severity: 'critical' }));
  const evaluator = await replica();
  source.answer = () => Array.from({ length: 130 }, (_, index) => sample(`int_${index}`, 7));
  await evaluator.evaluate(at(0));
  expect(logged.map(([level]) => level)).toEqual([...Array(100).fill('error'), 'warn']);
  expect(logged.at(-1)![2]).toEqual({ eventName: 'alert.changes', firing: 30, resolved: 0 });
});
