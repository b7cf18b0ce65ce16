import { beforeEach, describe, expect, test } from 'vitest';
import type { AuditEvent } from '../../../src/audit/types.ts';
import { deleteOldAlertRows } from '../../../src/monitoring/alerts/alertMaintenance.ts';
import { AlertRules } from '../../../src/monitoring/alerts/alertRules.ts';
import { DEFAULT_RULES } from '../../../src/monitoring/alerts/defaultRules.ts';
import { METRICS } from '../../../src/monitoring/alerts/metricCatalogue.ts';
import { parseRule } from '../../../src/monitoring/alerts/ruleSchema.ts';
import { ALERT_KINDS } from '../../../src/monitoring/alerts/types.ts';
import { useTestDatabase } from '../../support/database.ts';
import { errorRateRule } from './support/rules.ts';

const database = useTestDatabase();
const recorded: AuditEvent[] = [];
let rules: AlertRules;

beforeEach(async () => {
  recorded.length = 0;
  await database.current.pool.query('truncate alert_rules cascade');
  rules = new AlertRules(database.current, {
    record: async (_db, event) => {
      recorded.push(event);
    },
  });
});

describe('a rule', () => {
  test('has defaults, a version, and is audited', async () => {
    const made = await rules.create(errorRateRule());
    expect(made).toMatchObject({ version: 1, forMs: 0, groupBy: ['integrationId'], noData: 'ok', onError: 'keep' });
    const changed = await rules.update(made.id, { threshold: 9 });
    expect(changed).toMatchObject({ version: 2, threshold: 9, queryVersion: 1 });
    expect(await rules.update(made.id, { windowMs: 120_000 })).toMatchObject({ version: 3, queryVersion: 2 });
    await rules.delete(made.id);
    expect(recorded.map(({ action, before, after }) => [action, before, after])).toMatchObject([
      ['alert_rule.created', undefined, { threshold: 5 }],
      ['alert_rule.updated', { threshold: 5 }, { threshold: 9 }],
      ['alert_rule.updated', { windowMs: 60_000 }, { windowMs: 120_000 }],
      ['alert_rule.deleted', { name: 'Many errors' }, undefined],
    ]);
    await expect(rules.delete(made.id)).rejects.toMatchObject({ code: 'ALERT_RULE_NOT_FOUND' });
  });

  test('is made once under a name', async () => {
    const [one, two] = [await rules.create(errorRateRule(), 'n1'), await rules.create(errorRateRule(), 'n1')];
    expect(two).toEqual(one);
    expect(recorded).toHaveLength(1);
  });

  test('is not changed from an old version', async () => {
    const { id } = await rules.create(errorRateRule());
    await rules.update(id, { threshold: 6, version: 1 });
    await expect(rules.update(id, { threshold: 7, version: 1 })).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await rules.get(id)).toMatchObject({ threshold: 6, version: 2 });
  });

  test.each<[object, string, string]>([
    [{ metric: 'eror_rate' }, '/metric', 'Did you mean "error_rate"?'],
    [{ aggregation: 'p95' }, '/aggregation', 'one of avg'],
    [{ groupBy: ['integration'] }, '/groupBy/0', 'has the labels integrationId'],
    [{ filter: [{ label: 'region', op: 'in', values: ['eu'] }] }, '/filter/0/label', 'has the labels'],
    [{ recoveryThreshold: 6 }, '/recoveryThreshold', 'above the threshold'],
    [{ op: '<', recoveryThreshold: 4 }, '/recoveryThreshold', 'below the threshold'],
    [{ annotations: { summary: '{{ labels.x }} {{ secrets }}' } }, '/annotations/summary', '{{ secrets }}'],
    [{ intervalMs: 12_345 }, '/intervalMs', 'multiple of 5000'],
    [{ threshold: Number.NaN }, '/threshold', 'number'],
    [{ treshold: 1 }, '/treshold', 'Did you mean "threshold"?'],
  ])('is refused with %j', async (fields, pointer, detail) => {
    await expect(rules.create(errorRateRule(fields))).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      problems: [{ pointer, detail: expect.stringContaining(detail) }],
    });
  });
});

describe('the default rules', () => {
  test('are of all kinds, at the thresholds of the specification, over known metrics', () => {
    const parsed = Object.values(DEFAULT_RULES).map(parseRule);
    expect(new Set(parsed.map(({ kind }) => kind))).toEqual(new Set(ALERT_KINDS));
    expect(parsed.map(({ metric, op, threshold }) => `${metric} ${op} ${threshold}`)).toEqual(
      expect.arrayContaining(['response_time_ms > 5000', 'error_rate > 5', 'success_rate < 95']),
    );
    for (const { metric } of parsed) expect(METRICS).toHaveProperty(metric);
  });

  test('are made once; a changed one stays changed, and a deleted one deleted', async () => {
    await Promise.all([rules.seed(DEFAULT_RULES), rules.seed(DEFAULT_RULES)]);
    const made = await rules.list({}, null, 100);
    expect(made).toHaveLength(Object.keys(DEFAULT_RULES).length);
    await rules.update(made[0]!.id, { threshold: 1_000, recoveryThreshold: 900 });
    await rules.delete(made[1]!.id);
    await deleteOldAlertRows(database.current, new Date(Date.now() + 40 * 86_400_000));
    await rules.seed(DEFAULT_RULES);
    const now = await rules.list({}, null, 100);
    expect(now.map(({ id }) => id)).toEqual(made.map(({ id }) => id).filter((id) => id !== made[1]!.id));
    expect(now[0]).toMatchObject({ threshold: 1_000, isDefault: true });
  });

  test('of a later version are added to an installation that has the others, once', async () => {
    const { 'performance.provider_down': added, ...before } = DEFAULT_RULES;
    await rules.seed(before);
    const old = await rules.list({}, null, 100);
    await rules.seed(DEFAULT_RULES);
    const [made, ...others] = (await rules.list({}, null, 100)).filter(({ id }) => !old.some((one) => one.id === id));
    expect(made).toMatchObject({ name: added!.name, labels: { inhibits: 'platform' }, isDefault: true });
    expect(others).toEqual([]);
    await rules.delete(made!.id);
    await rules.seed(DEFAULT_RULES);
    expect(await rules.list({}, null, 100)).toEqual(old);
  });
});
