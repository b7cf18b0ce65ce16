import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { silentLog } from '../../../src/core/log.ts';
import { AlertRules } from '../../../src/monitoring/alerts/alertRules.ts';
import { DEFAULT_RULES } from '../../../src/monitoring/alerts/defaultRules.ts';
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
const open: AlertEvaluator[] = [];

function replica(): AlertEvaluator {
  const evaluator = new AlertEvaluator({ database: database.current, source, clock: systemClock, log: silentLog });
  open.push(evaluator);
  return evaluator;
}

/** Owns every shard. */
async function wholeReplica(): Promise<AlertEvaluator> {
  const evaluator = replica();
  await evaluator.claimAll();
  return evaluator;
}

async function changes() {
  const { rows } = await database.current.pool.query(
    `select seq, rule_id, from_state || '>' || to_state as change, labels, reason, value,
            (extract(epoch from at) - ${START / 1_000})::int as second
     from alert_changes order by seq`,
  );
  return rows;
}

const told = async () => (await changes()).map(({ change, second }) => `${change}@${second}`);

async function stored() {
  const { rows } = await database.current.pool.query('select * from alert_instances order by rule_id, fingerprint');
  return rows;
}

beforeEach(async () => {
  rules = new AlertRules(database.current, unheardAudit);
  source = new ArraySource(() => []);
  await database.current.pool.query(
    `truncate alert_rules, alert_changes, integrations cascade;
     insert into integrations (id, owner, name, type, platform, status, configuration)
     select id, 'o', 'n', 't', 'p', 'connected', '{}' from unnest(array['int_a', 'int_b', 'int_c', 'int_gone']) id;
     update alert_shards set lease_until = null, evaluated_at = null;
     update alert_counters set value = 0 where name = 'changes'`,
  );
});
afterEach(async () => {
  for (const evaluator of open.splice(0)) await evaluator.close();
});

describe('a rule', () => {
  test('makes an alert of every series that breaches it, and stores what becomes of it', async () => {
    const rule = await rules.create(
      errorRateRule({
        forMs: 10_000,
        labels: { team: 'core' },
        annotations: {
          summary: '{{ value }} % of {{ labels.integrationId }}, at most {{ threshold }} ({{ labels.team }})',
        },
      }),
    );
    const evaluator = await wholeReplica();
    source.answer = () => [sample('int_a', 7.123456), sample('int_b', 5), sample('int_c', null, 0)];
    await evaluator.evaluate(at(0));
    await evaluator.evaluate(at(10));
    source.answer = () => [sample('int_a', 1), sample('int_b', 5)];
    await evaluator.evaluate(at(20));

    expect(await told()).toEqual(['normal>pending@0', 'pending>firing@10', 'firing>normal@20']);
    expect(await stored()).toEqual([
      expect.objectContaining({
        rule_id: rule.id,
        integration_id: 'int_a',
        labels: { integrationId: 'int_a' },
        state: 'normal',
        value: 1,
        resolved_at: new Date(at(20)),
        changed_at: new Date(at(20)),
      }),
    ]);
    const { rows } = await database.current.pool.query('select * from alert_changes where seq = 2');
    expect(rows[0]).toMatchObject({
      rule_name: 'Many errors',
      severity: 'error',
      kind: 'performance',
      labels: { integrationId: 'int_a', team: 'core' },
      annotations: { summary: '7.123 % of int_a, at most 5 (core)' },
      notify: { policyId: null, channelIds: [] },
      evidence: { samples: 100 },
      integration_id: 'int_a',
    });
  });

  test('is evaluated at multiples of its interval, and once for each', async () => {
    await rules.create(errorRateRule({ intervalMs: 20_000 }));
    const evaluator = await wholeReplica();
    for (const second of [3, 4, 19, 20, 24, 25, 39, 47]) await evaluator.evaluate(at(second));
    expect(source.asked.map(({ atMs }) => (atMs - START) / 1_000)).toEqual([0, 20, 40]);
  });

  test('that nothing measures, or whose query fails, says so and says when it is over', async () => {
    const rule = await rules.create(errorRateRule());
    const evaluator = await wholeReplica();
    source.answer = () => Promise.reject(new Error('relation does not exist'));
    await evaluator.evaluate(at(0));
    expect((await rules.get(rule.id)).failure).toBe('error_rate could not be read: relation does not exist');
    source.answer = () => [];
    await evaluator.evaluate(at(10));
    expect((await rules.get(rule.id)).failure).toBeNull();
    source.has = () => false;
    await evaluator.evaluate(at(20));
    expect((await rules.get(rule.id)).failure).toBe('Nothing here measures error_rate.');
    expect(await told()).toEqual([]);
  });
});

describe('one query', () => {
  test('serves all rules that measure the same, also those about one integration', async () => {
    await rules.create(errorRateRule({ threshold: 5 }));
    await rules.create(errorRateRule({ threshold: 50, intervalMs: 30_000 }));
    const one = await rules.create(
      errorRateRule({ threshold: 1, groupBy: [], filter: [{ label: 'integrationId', op: 'in', values: ['int_b'] }] }),
    );
    await rules.create(errorRateRule({ windowMs: 120_000 }));
    const evaluator = await wholeReplica();
    source.answer = () => [sample('int_a', 3), sample('int_b', 3)];
    await evaluator.evaluate(at(0));
    expect(source.asked.map(({ query }) => [query.windowMs, query.groupBy])).toEqual(
      expect.arrayContaining([
        [60_000, ['integrationId']],
        [120_000, ['integrationId']],
      ]),
    );
    expect(source.asked).toHaveLength(2);
    expect(await changes()).toMatchObject([{ rule_id: one.id, labels: { integrationId: 'int_b' } }]);
  });

  test('has what is not grouped by in its filter', async () => {
    await rules.create(errorRateRule({ filter: [{ label: 'operation', op: 'not_in', values: ['sync', 'check'] }] }));
    const evaluator = await wholeReplica();
    await evaluator.evaluate(at(0));
    expect(source.asked[0]!.query.filter).toEqual([{ label: 'operation', op: 'not_in', values: ['check', 'sync'] }]);
  });
});

describe('no data and errors', () => {
  test('a series that goes away becomes an alert where the rule watches for it', async () => {
    await rules.create(errorRateRule({ noData: 'no_data' }));
    const evaluator = await wholeReplica();
    source.answer = () => [sample('int_a', 1), sample('int_b', 1)];
    await evaluator.evaluate(at(0));
    source.answer = () => [sample('int_b', 1)];
    await evaluator.evaluate(at(10));
    expect(await changes()).toMatchObject([{ change: 'normal>no_data', labels: { integrationId: 'int_a' } }]);
    source.answer = () => [sample('int_a', 9), sample('int_b', 1)];
    await evaluator.evaluate(at(20));
    expect(await told()).toEqual(['normal>no_data@10', 'no_data>firing@20']);
  });

  test('when all are gone, or the query fails, there is one alert for the rule', async () => {
    await rules.create(errorRateRule({ noData: 'no_data', onError: 'error' }));
    const evaluator = await wholeReplica();
    source.answer = () => [sample('int_a', 1), sample('int_b', 1)];
    await evaluator.evaluate(at(0));
    source.answer = () => [];
    await evaluator.evaluate(at(10));
    source.answer = () => Promise.reject(new Error('gone'));
    await evaluator.evaluate(at(20));
    source.answer = () => [sample('int_a', 1)];
    await evaluator.evaluate(at(30));
    expect((await changes()).map(({ change, labels }) => [change, labels])).toEqual([
      ['normal>no_data', {}],
      ['no_data>error', {}],
      ['normal>no_data', { integrationId: 'int_b', platform: 'p' }],
      ['error>normal', {}],
    ]);
  });

  test('of a rule about one integration, the alert is that integration’s', async () => {
    const filter = [{ label: 'integrationId', op: 'in' as const, values: ['int_a'] }];
    await rules.create(errorRateRule({ filter, groupBy: [], noData: 'alerting' }));
    const evaluator = await wholeReplica();
    source.answer = () => [sample('int_b', 1)];
    await evaluator.evaluate(at(0));
    source.answer = () => [sample('int_a', 1)];
    await evaluator.evaluate(at(10));
    expect(await changes()).toMatchObject([
      { change: 'normal>firing', reason: 'no_data', labels: { integrationId: 'int_a' } },
      { change: 'firing>normal', labels: { integrationId: 'int_a' } },
    ]);
  });

  test('too few samples make no alert', async () => {
    await rules.create(errorRateRule({ minSamples: 20 }));
    const evaluator = await wholeReplica();
    source.answer = () => [sample('int_a', 100, 1)];
    await evaluator.evaluate(at(0));
    expect(await stored()).toEqual([]);
  });
});

describe('a change of a rule', () => {
  test('counts within the round; alerts go on when the same is measured', async () => {
    const rule = await rules.create(errorRateRule());
    const evaluator = await wholeReplica();
    source.answer = () => [sample('int_a', 7)];
    await evaluator.evaluate(at(0));
    await rules.update(rule.id, { threshold: 6 });
    await evaluator.evaluate(at(10));
    await rules.update(rule.id, { threshold: 8 });
    await evaluator.evaluate(at(20));
    expect(await told()).toEqual(['normal>firing@0', 'firing>normal@20']);
  });

  test.each([
    ['measuring something else', { windowMs: 120_000 }, 'rule_changed', ['firing>normal@10', 'normal>firing@10']],
    ['disabling it', { enabled: false }, 'rule_disabled', ['firing>normal@10']],
  ])('%s ends its alerts', async (_name, change, reason, after) => {
    const rule = await rules.create(errorRateRule());
    const evaluator = await wholeReplica();
    source.answer = () => [sample('int_a', 7)];
    await evaluator.evaluate(at(0));
    await rules.update(rule.id, change);
    await evaluator.evaluate(at(10));
    expect(await told()).toEqual(['normal>firing@0', ...after]);
    expect((await changes())[1]).toMatchObject({ reason });
  });

  test('deleting it ends its alerts, also when whoever evaluated it died before', async () => {
    const rule = await rules.create(errorRateRule());
    source.answer = () => [sample('int_a', 7)];
    await (await wholeReplica()).evaluate(at(0));
    await open.pop()!.close();
    await rules.delete(rule.id);
    await (await wholeReplica()).evaluate(at(5));
    expect(await told()).toEqual(['normal>firing@0', 'firing>normal@5']);
    expect((await changes())[1]).toMatchObject({ reason: 'rule_deleted' });
    await expect(rules.get(rule.id)).rejects.toMatchObject({ code: 'ALERT_RULE_NOT_FOUND' });
  });

  test('measuring something else ends alerts also when whoever evaluated it died before', async () => {
    const rule = await rules.create(errorRateRule());
    source.answer = () => [sample('int_a', 7)];
    await (await wholeReplica()).evaluate(at(0));
    await open.pop()!.close();
    await rules.update(rule.id, { windowMs: 120_000, threshold: 50 });
    await (await wholeReplica()).evaluate(at(10));
    expect(await told()).toEqual(['normal>firing@0', 'firing>normal@10']);
  });
});

describe('replicas', () => {
  test('one goes on from what another has stored, without telling twice', async () => {
    await rules.create(errorRateRule({ forMs: 20_000, keepFiringForMs: 20_000 }));
    const values = [7, 7, 7, 7, 1, 1, 7, 1, 1, 1];
    for (const [index, value] of values.entries()) {
      source.answer = () => [sample('int_a', value)];
      const evaluator = await wholeReplica();
      await evaluator.evaluate(at(index * 10));
      await evaluator.evaluate(at(index * 10));
      await open.pop()!.close();
    }
    expect(await told()).toEqual([
      'normal>pending@0',
      'pending>firing@20',
      'firing>recovering@40',
      'recovering>firing@60',
      'firing>recovering@70',
      'recovering>normal@90',
    ]);
    expect((await changes()).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('of two, each evaluates the shards that it owns', async () => {
    const made = await Promise.all(Array.from({ length: 40 }, () => rules.create(errorRateRule())));
    source.answer = () => [sample('int_a', 7)];
    const [one, two] = [replica(), replica()];
    for (let round = 0; round < 4; round++) for (const evaluator of [one, two]) await evaluator.claim();
    for (let round = 0; round < 3; round++)
      await Promise.all([one.evaluate(at(round * 10)), two.evaluate(at(round * 10))]);
    expect((await told()).filter((change) => change === 'normal>firing@0')).toHaveLength(made.length);
    expect(await changes()).toHaveLength(made.length);
    expect(Math.min(one.shards, two.shards)).toBeGreaterThan(0);
    expect(one.shards + two.shards).toBe(16);
  });

  test('one that lost its lease writes nothing', async () => {
    await rules.create(errorRateRule());
    source.answer = () => [sample('int_a', 7)];
    const paused = await wholeReplica();
    await database.current.pool.query(`update alert_shards set lease_until = now() - interval '1 second'`);
    const other = await wholeReplica();
    await other.evaluate(at(10));
    expect(await paused.evaluate(at(0))).toBe(0);
    expect(await paused.evaluate(at(20))).toBe(0);
    expect(await told()).toEqual(['normal>firing@10']);
    expect(paused.shards).toBe(0);
  });
});

test('the alerts of an integration that was deleted end, though no data keeps them', async () => {
  await rules.create(errorRateRule({ noData: 'keep' }));
  const evaluator = await wholeReplica();
  source.answer = () => [sample('int_a', 7), sample('int_gone', 7)];
  await evaluator.evaluate(at(0));
  await database.current.pool.query(`delete from integrations where id = 'int_gone'`);
  source.answer = () => [];
  await evaluator.evaluate(at(70));
  expect((await changes()).slice(2)).toMatchObject([
    { change: 'firing>normal', reason: 'series_gone', labels: { integrationId: 'int_gone' } },
  ]);
});

test('alerts that no data keeps end when their integration is disconnected, or their process is gone', async () => {
  const { pool } = database.current;
  const keep = await rules.create(errorRateRule({ name: 'keep', noData: 'keep' }));
  const disk = {
    metric: 'disk_free_ratio',
    aggregation: 'last' as const,
    groupBy: ['process'] as string[],
    op: '<' as const,
  };
  await rules.create(errorRateRule({ name: 'disk', noData: 'keep', ...disk }));
  // Whoever watches for absence wants to be told of it.
  await rules.create(errorRateRule({ name: 'watch', noData: 'alerting', ...disk }));
  await pool.query(
    `delete from system_minutes;
     insert into system_minutes (bucket, metric, process, samples, latest_at)
     values (now(), 'process_cpu', 'host:2', '{0}', now()), (now() - interval '1 hour', 'process_cpu', 'host:1', '{0}', now())`,
  );
  const processes = [1, 2].map((pid) => ({ labels: { process: `host:${pid}` }, value: 0, samples: 1 }));
  source.answer = ({ metric }) => (metric === 'error_rate' ? [sample('int_a', 7), sample('int_b', 7)] : processes);
  const evaluator = await wholeReplica();
  await evaluator.evaluate(at(0));
  await pool.query(`update integrations set status = 'disconnected' where id = 'int_b'`);
  source.answer = ({ metric }) => (metric === 'error_rate' ? [] : processes.slice(1));
  await evaluator.evaluate(at(70));
  const { rows } = await pool.query(
    `select rule_name, reason, labels from alert_changes where to_state = 'normal' order by rule_name`,
  );
  expect(rows).toMatchObject([
    { rule_name: 'disk', reason: 'series_gone', labels: { process: 'host:1' } },
    { rule_name: 'keep', reason: 'series_gone', labels: { integrationId: 'int_b' } },
  ]);
  expect((await rules.get(keep.id)).failure).toBeNull();
});

test.each(['security.denied_access', 'security.failed_logins'])(
  'one query that fails wakes nobody, several do: %s',
  async (key) => {
    await rules.seed({ [key]: DEFAULT_RULES[key]! });
    const evaluator = await wholeReplica();
    source.answer = () => Promise.reject(new Error('canceled'));
    await evaluator.evaluate(at(0));
    source.answer = () => [];
    await evaluator.evaluate(at(60));
    expect(await told()).toEqual(['normal>pending@0', 'pending>normal@60']);
    source.answer = () => Promise.reject(new Error('canceled'));
    for (const second of [120, 180, 240]) await evaluator.evaluate(at(second));
    expect((await told()).slice(2)).toEqual(['normal>pending@120', 'pending>firing@240']);
  },
);

test('the value of an alert that goes on is of late', async () => {
  await rules.create(errorRateRule());
  const evaluator = await wholeReplica();
  for (let second = 0; second <= 70; second += 10) {
    source.answer = () => [sample('int_a', 7 + second)];
    await evaluator.evaluate(at(second));
  }
  expect(await stored()).toMatchObject([{ state: 'firing', value: 67, changed_at: new Date(at(0)) }]);
  expect(await told()).toEqual(['normal>firing@0']);
});

test('a failure of the database leaves nothing half done, and the round is made up for', async () => {
  await rules.create(errorRateRule());
  source.answer = () => [sample('int_a', 7)];
  const evaluator = await wholeReplica();
  await database.current.pool.query(
    `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
     create trigger refuse before insert on alert_changes for each statement execute function refuse()`,
  );
  await expect(evaluator.evaluate(at(0))).rejects.toThrow('no');
  await database.current.pool.query('drop trigger refuse on alert_changes; drop function refuse()');
  expect(await stored()).toEqual([]);
  await evaluator.evaluate(at(0));
  expect(await told()).toEqual(['normal>firing@0']);
});
