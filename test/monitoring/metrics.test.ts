import { beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { METRICS } from '../../src/monitoring/alerts/metricCatalogue.ts';
import type { Aggregation, MetricQuery, MetricSample } from '../../src/monitoring/alerts/types.ts';
import { MetricSources } from '../../src/monitoring/metrics/metricSources.ts';
import { tableMetricSource } from '../../src/monitoring/metrics/tableMetricSource.ts';
import { openTestApp } from '../support/app.ts';
import { useTestDatabase } from '../support/database.ts';

const database = useTestDatabase();
const NOW = Date.now();
const MINUTE = 60_000;

const ask = (
  metric: string,
  aggregation: Aggregation,
  rest: Partial<MetricQuery> = {},
): Promise<readonly MetricSample[]> =>
  tableMetricSource(database.current).query(
    { metric, aggregation, windowMs: 5 * MINUTE, filter: [], groupBy: ['integrationId'], ...rest },
    NOW,
  );

/** By integration. */
async function values(...asked: Parameters<typeof ask>): Promise<Record<string, number | null>> {
  const samples = await ask(...asked);
  return Object.fromEntries(samples.map(({ labels, value }) => [labels.integrationId ?? 'all', value]));
}

beforeAll(async () => {
  // Makes the tables of the queue.
  await (await openTestApp(database.url)).close();
  const { pool } = database.current;
  await pool.query(
    `insert into integrations (id, owner, name, type, platform, status, configuration, created_at)
     values ('int_a', 'o', 'a', 't', 'github', 'connected', '{}', $1), ('int_b', 'o', 'b', 't', 'slack', 'error', '{}', $1),
            ('int_c', 'o', 'c', 't', 'slack', 'disconnected', '{}', $1), ('int_x', 'o', 'x', 't', 'slack', 'deleting', '{}', $1)`,
    [new Date(NOW - 10 * 60 * MINUTE)],
  );
  const attempt = (integration: string, outcome: string, waitMs: number, secondsAgo: number, operation = 'sync') =>
    pool.query(
      `insert into outgoing_attempts (id, operation_id, integration_id, operation, attempt, method, host, path, outcome,
         started_at, duration_ms, wait_ms)
       values ($1, 'op', $2, $3, 1, 'GET', 'h', '/', $4, $5, 1, $6)`,
      [newId('attempt'), integration, operation, outcome, new Date(NOW - secondsAgo * 1_000), waitMs],
    );
  for (let index = 0; index < 20; index++) await attempt('int_a', index < 18 ? 'success' : 'timeout', index * 10, 10);
  await attempt('int_b', 'wrong_credentials', 50, 20, 'check');
  await attempt('int_a', 'timeout', 1, 301);
  await attempt('int_x', 'timeout', 1, 10);
  const run = (integration: string, status: string, minutesAgo: number) =>
    pool.query(
      `insert into sync_runs (id, integration_id, trigger, status, queued_at, finished_at) values ($1, $2, 'schedule', $3, $4, $4)`,
      [newId('syncRun', NOW - minutesAgo * MINUTE), integration, status, new Date(NOW - minutesAgo * MINUTE)],
    );
  for (const [minutesAgo, status] of [
    [50, 'failed'],
    [40, 'succeeded'],
    [30, 'failed'],
    [20, 'failed'],
    [2, 'failed'],
  ] as const)
    await run('int_a', status, minutesAgo);
  await run('int_c', 'succeeded', 1);
  await pool.query(
    `insert into sync_schedules (integration_id, frequency, next_due_at)
     values ('int_a', '10m', now()), ('int_b', 'hourly', now()), ('int_c', '10m', now())`,
  );
  await pool.query(
    `insert into sync_runs (id, integration_id, trigger, status, queued_at) values ($1, 'int_b', 'manual', 'queued', $2)`,
    [newId('syncRun'), new Date(NOW - 7 * MINUTE)],
  );
  let seq = 0;
  const entry = (action: string, actor: string, event: string | Buffer, secondsAgo: number) =>
    pool.query(
      `insert into audit_entries (seq, id, event, leaf_hash, occurred_at, actor_kind, actor_id, action, outcome)
       values ($1, $2, $3, '', $4, 'user', $5, $6, 'denied')`,
      [seq++, newId('auditEvent'), Buffer.from(event), new Date(NOW - secondsAgo * 1_000), actor, action],
    );
  await entry('access.denied', 'usr_1', '{"details":{"reason":"\\"repeated\\":99"}}', 5);
  await entry('access.denied', 'usr_1', '{"details":{"reason":"x","repeated":40}}', 4);
  await entry('access.denied', 'usr_2', Buffer.from([0xff, 0x00, 0x5c, 0xfe]), 4);
  await entry('login.failed', '10.0.0.1', '{}', 3);
  await entry('login.failed', '10.0.0.2', '{}', 3);
  await entry('login.failed', '10.0.0.2', '{}', 900);
});

describe('attempts', () => {
  test.each([
    ['credential_errors', 'sum', { int_b: 1 }],
    ['credential_errors', 'rate', { int_b: 1 / 300 }],
    ['wait_ms', 'count', { int_a: 20, int_b: 1 }],
    ['wait_ms', 'max', { int_a: 190, int_b: 50 }],
    ['wait_ms', 'p95', { int_a: 180, int_b: 50 }],
    ['wait_ms', 'p50', { int_a: 90, int_b: 50 }],
  ] as const)('%s %s', async (metric, aggregation, expected) => {
    expect(await values(metric, aggregation)).toEqual(expected);
  });

  test('are filtered before they are grouped, by any label', async () => {
    const filter = [{ label: 'outcome', op: 'not_in' as const, values: ['timeout'] }];
    expect(await values('wait_ms', 'count', { filter })).toEqual({ int_a: 18, int_b: 1 });
    expect(await ask('wait_ms', 'count', { groupBy: ['operation', 'platform'] })).toEqual(
      expect.arrayContaining([
        { labels: { operation: 'sync', platform: 'github' }, value: 20, samples: 20 },
        { labels: { operation: 'check', platform: 'slack' }, value: 1, samples: 1 },
      ]),
    );
  });

  test('of nobody are one sample of nothing', async () => {
    const filter = [{ label: 'platform', op: 'in' as const, values: ['none'] }];
    expect(await ask('wait_ms', 'avg', { filter, groupBy: [] })).toEqual([{ labels: {}, value: null, samples: 0 }]);
  });
});

describe('the outage of a platform', () => {
  const platforms = async () =>
    Object.fromEntries(
      (await ask('platform_outage', 'last', { groupBy: ['platform'], windowMs: 3 * MINUTE })).map(
        ({ labels, value, samples }) => [labels.platform, `${value} % of ${samples}`],
      ),
    );
  const look = (id: string, state: string, outcome: string, minutesAgo = 1) =>
    database.current.pool.query(
      `insert into integration_health (integration_id, state, source, outcome, checked_at, next_check_at)
       values ($1, $2, 'probe', $3, $4, now())
       on conflict (integration_id) do update
       set state = excluded.state, outcome = excluded.outcome, checked_at = excluded.checked_at`,
      [id, state, outcome, new Date(NOW - minutesAgo * MINUTE)],
    );
  const calls = (id: string, outcome: string, count: number, operation = 'sync') =>
    database.current.pool.query(
      `insert into metric_minutes (bucket, integration_id, operation, outcome, part, calls, total_ms, response_bytes, phases)
       values (date_trunc('minute', $1::timestamptz), $2, $3, $4, $5, $6, 0, 0, '')`,
      [new Date(NOW), id, operation, outcome, `test ${operation} ${outcome} ${count}`, count],
    );

  beforeAll(async () => {
    await database.current.pool.query(
      `insert into integrations (id, owner, name, type, platform, status, configuration)
       select 'int_' || n, 'o', 'n' || n, 't', 'shop', 'connected', '{}' from generate_series(1, 5) n`,
    );
  });

  test('is told by looks, where calls are too few to tell', async () => {
    for (const n of [1, 2]) await look(`int_${n}`, 'fail', 'timeout');
    for (const n of [3, 4]) await look(`int_${n}`, 'pass', 'success');
    // Two may fail by chance; what is not looked at, or was long ago, does not count.
    await look('int_5', 'fail', 'timeout', 100);
    expect(await platforms()).toEqual({ shop: '0 % of 4' });
    await look('int_3', 'fail', 'wrong_credentials');
    expect(await platforms()).toEqual({ shop: '0 % of 4' });
    await look('int_3', 'fail', 'provider_error');
    expect(await platforms()).toEqual({ shop: '75 % of 4' });
    await calls('int_3', 'success', 4);
    await calls('int_3', 'success', 9, 'check');
    expect(await platforms()).toEqual({ shop: '75 % of 4' });
  });

  test('is told by calls at once, whatever was seen before', async () => {
    await calls('int_3', 'success', 1);
    expect(await platforms()).toEqual({ shop: '0 % of 4' });
    await calls('int_4', 'timeout', 5);
    await calls('int_4', 'success', 5);
    expect(await platforms()).toEqual({ shop: '75 % of 4' });
    await calls('int_5', 'unreachable', 5);
    expect(await platforms()).toEqual({ shop: '80 % of 5' });
    expect(await ask('platform_outage', 'last', { groupBy: [] })).toEqual([{ labels: {}, value: 80, samples: 5 }]);
    const filter = [{ label: 'platform', op: 'in' as const, values: ['none'] }];
    expect(await ask('platform_outage', 'last', { filter, groupBy: [] })).toEqual([]);
  });
});

test('syncs', async () => {
  const windowMs = 60 * MINUTE;
  expect(await values('sync_failures', 'sum', { windowMs })).toEqual({ int_a: 4, int_c: 0 });
  // What is disconnected is meant not to sync.
  expect(await values('sync_failures_in_row', 'last', { windowMs })).toEqual({ int_a: 3 });
  expect(await values('sync_runs', 'sum', { windowMs, groupBy: [] })).toEqual({ all: 6 });
  const since = await values('seconds_since_last_success', 'last');
  expect(since).toEqual({ int_a: 40 * 60, int_b: 10 * 3_600 });
  expect(await values('sync_intervals_since_success', 'last')).toEqual({ int_a: 4, int_b: 10 });
  expect(await values('sync_intervals_since_success', 'last', { groupBy: [] })).toEqual({ all: 10 });
});

test('denials count as often as their entries say, whatever bytes an entry holds', async () => {
  const byActor = await ask('denied_access', 'sum', { groupBy: ['actor'] });
  expect(byActor).toEqual(
    expect.arrayContaining([
      { labels: { actor: 'usr_1' }, value: 41, samples: 2 },
      { labels: { actor: 'usr_2' }, value: 1, samples: 1 },
    ]),
  );
  expect(await values('failed_logins', 'sum', { groupBy: [] })).toEqual({ all: 2 });
});

test('queues say how long the oldest has waited', async () => {
  await database.current.pool.query(
    `insert into pgboss.job (name, data, start_after) select 'maintenance', '{}', $1::timestamptz - interval '90 seconds'`,
    [new Date(NOW)],
  );
  expect(await ask('job_queue_age_seconds', 'last', { groupBy: ['queue'] })).toEqual(
    expect.arrayContaining([
      { labels: { queue: 'maintenance' }, value: 90, samples: 1 },
      { labels: { queue: 'sync_runs' }, value: 420, samples: 1 },
    ]),
  );
  expect(await ask('job_queue_age_seconds', 'max', { groupBy: [] })).toMatchObject([{ labels: {}, value: 420 }]);
});

test('every metric that it knows can be asked for all that the catalogue says of it', async () => {
  const source = tableMetricSource(database.current);
  const known = Object.entries(METRICS).filter(([name]) => source.has(name));
  expect(known.length).toBeGreaterThan(10);
  for (const [metric, { aggregations, labels }] of known)
    for (const aggregation of aggregations) {
      const filter = labels.map((label) => ({ label, op: 'not_in' as const, values: ['nothing'] }));
      await expect(
        ask(metric, aggregation, { groupBy: labels, filter }),
        `${metric} ${aggregation}`,
      ).resolves.toBeDefined();
    }
});

test('sources are asked in turn', async () => {
  const first = {
    has: (metric: string) => metric === 'process_cpu',
    query: async () => [{ labels: {}, value: 1, samples: 1 }],
  };
  const source = new MetricSources([], [first, tableMetricSource(database.current)]);
  expect(source.has('wait_ms')).toBe(true);
  expect(source.has('disk_free_ratio')).toBe(false);
  const query = { metric: 'process_cpu', aggregation: 'last' as const, windowMs: 1, filter: [], groupBy: [] };
  expect(await source.query(query, NOW)).toMatchObject([{ value: 1 }]);
  await expect(source.query({ ...query, metric: 'disk_free_ratio' }, NOW)).rejects.toThrow('disk_free_ratio');
});
