import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { newId } from '../../src/core/ids.ts';
import { silentLog } from '../../src/core/log.ts';
import { AlertEvaluator } from '../../src/monitoring/alerts/evaluator.ts';
import { tableMetricSource } from '../../src/monitoring/metrics/tableMetricSource.ts';
import { addMember } from '../access/support/members.ts';
import { errorRateRule } from '../monitoring/alerts/support/rules.ts';
import { useTestDatabase } from '../support/database.ts';
import { openTestServer, type TestServer } from './testServer.ts';

const database = useTestDatabase();
const RULES = '/api/v1/alerts/rules';
let server: TestServer;

beforeAll(async () => {
  server = await openTestServer(database.url, { workers: false });
  await database.current.pool.query(
    `insert into integrations (id, owner, name, type, platform, status, configuration)
     select id, 'somebody', id, 't', 'p', 'connected', '{}' from unnest(array['int_a', 'int_b', 'int_c']) id`,
  );
});
afterAll(() => server?.close());

async function calls(integrationId: string, outcomes: readonly string[], at: number): Promise<void> {
  for (const outcome of outcomes)
    await database.current.pool.query(
      `insert into outgoing_attempts (id, operation_id, integration_id, operation, attempt, method, host, path, outcome,
         started_at, duration_ms, wait_ms)
       values ($1, 'op', $2, 'sync', 1, 'GET', 'h', '/', $3, $4, 10, 0)`,
      [newId('attempt'), integrationId, outcome, new Date(at)],
    );
  // As the recorder measures them, which is what rules of a running server ask.
  await database.current.pool.query(
    `insert into metric_minutes (bucket, integration_id, operation, outcome, part, calls, total_ms, response_bytes, phases)
     select date_trunc('minute', $3::timestamptz), $1, 'sync', outcome, 'test', count(*), 10 * count(*), 0, ''
     from unnest($2::text[]) outcome group by outcome`,
    [integrationId, outcomes, new Date(at)],
  );
}

it('makes, reads, changes, lists and deletes rules', async () => {
  const made = await server.request('POST', RULES, { body: errorRateRule({ kind: 'quality', threshold: 50 }) });
  expect(made).toMatchObject({ status: 201, json: { version: 1, threshold: 50, failure: null, isDefault: false } });
  const path = made.headers.get('location')!;
  expect(path).toBe(`${RULES}/${made.json.id}`);
  const read = await server.request('GET', path);
  expect(read.json).toEqual(made.json);
  const etag = read.headers.get('etag')!;

  const changed = await server.request('PATCH', path, { body: { threshold: 60 }, headers: { 'if-match': etag } });
  expect(changed).toMatchObject({ status: 200, json: { version: 2, threshold: 60 } });
  const stale = await server.request('PATCH', path, { body: { threshold: 70 }, headers: { 'if-match': etag } });
  expect(stale).toMatchObject({
    status: 412,
    json: { code: 'PRECONDITION_FAILED', details: { ruleId: made.json.id } },
  });

  const listed = await server.request('GET', `${RULES}?kind=quality&enabled=true&limit=1`);
  expect(listed.json).toEqual({ data: [changed.json], nextCursor: null });
  expect((await server.request('DELETE', path)).status).toBe(204);
  expect(await server.request('GET', path)).toMatchObject({ status: 404, json: { code: 'ALERT_RULE_NOT_FOUND' } });
});

it('makes one rule of a repeated request', async () => {
  const options = { body: errorRateRule({ kind: 'system' }), headers: { 'idempotency-key': 'rule-1' } };
  const [one, two] = [await server.request('POST', RULES, options), await server.request('POST', RULES, options)];
  expect(two.json).toEqual(one.json);
  expect((await server.request('GET', `${RULES}?kind=system`)).json.data).toHaveLength(1);
  await server.request('DELETE', `${RULES}/${one.json.id}`);
});

it('names every fault of a rule', async () => {
  const answer = await server.request('POST', RULES, { body: { ...errorRateRule(), op: '=', windowMs: 1 } });
  expect(answer).toMatchObject({ status: 400, json: { code: 'INVALID_INPUT' } });
  expect(answer.json.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(['/windowMs', '/op']);
});

it('lists alerts, tests a rule and tries one on the past, for each reader what they may see', async () => {
  const now = Math.floor(Date.now() / 10_000) * 10_000;
  await calls('int_a', ['timeout', 'success'], now - 5_000);
  await calls('int_b', ['timeout', 'timeout'], now - 5_000);
  await calls('int_c', ['success', 'success'], now - 5_000);
  const { json: rule } = await server.request('POST', RULES, {
    body: errorRateRule({ windowMs: 3_600_000, annotations: { summary: '{{ value }} %' }, labels: { team: 'core' } }),
  });
  const evaluator = new AlertEvaluator({
    database: database.current,
    source: tableMetricSource(database.current),
    clock: systemClock,
    log: silentLog,
  });
  await evaluator.claimAll();
  await evaluator.evaluate(now);
  await evaluator.close();

  const first = await server.request('GET', '/api/v1/alerts?state=firing&severity=error&limit=1');
  const second = await server.request('GET', `/api/v1/alerts?limit=1&cursor=${first.json.nextCursor}`);
  expect(second.json.nextCursor).toBeNull();
  const both = [...first.json.data, ...second.json.data];
  expect(both.map(({ labels, value }) => [labels.integrationId, value]).sort()).toEqual([
    ['int_a', 50],
    ['int_b', 100],
  ]);
  expect(both.find(({ value }) => value === 100)).toMatchObject({
    ruleId: rule.id,
    ruleName: rule.name,
    state: 'firing',
    labels: { integrationId: 'int_b', team: 'core' },
    annotations: { summary: '100 %' },
    evidence: { samples: 2 },
    firedAt: new Date(now).toISOString(),
    resolvedAt: null,
  });
  expect((await server.request('GET', '/api/v1/alerts?integrationId=int_a')).json.data).toHaveLength(1);
  expect((await server.request('GET', '/api/v1/alerts?severity=info')).json.data).toEqual([]);
  expect((await server.request('GET', '/api/v1/alerts?cursor=x')).status).toBe(400);

  const tested = await server.request('POST', `${RULES}/${rule.id}/test`);
  expect(tested).toMatchObject({ status: 200, json: { error: null, total: 3, breached: 2 } });
  expect(tested.json.series).toContainEqual({
    labels: { integrationId: 'int_c' },
    value: 0,
    samples: 2,
    condition: 'recovered',
    state: 'normal',
    nextState: 'normal',
  });

  const body = { rule: errorRateRule({ threshold: 60, windowMs: 10_000 }), rangeMs: 600_000 };
  const preview = await server.request('POST', `${RULES}/preview`, { body });
  expect(preview).toMatchObject({ status: 200, json: { evaluations: 61, failedEvaluations: 0 } });
  expect(preview.json.alerts).toHaveLength(1);
  expect(preview.json.alerts[0]).toMatchObject({ labels: { integrationId: 'int_b' } });
  expect(preview.json.alerts[0].transitions[0]).toMatchObject({ from: 'normal', to: 'firing', value: 100 });
  expect(await server.request('POST', `${RULES}/preview`, { body: { ...body, rangeMs: 3_600_000 } })).toMatchObject({
    status: 400,
    json: { errors: [{ pointer: '/rangeMs' }] },
  });

  // A developer sees alerts of their own integrations only.
  const member = await addMember(server.app, 'developer');
  await database.current.pool.query(`update integrations set owner = $1 where id = 'int_a'`, [member.id]);
  const asMember = { key: null, headers: (await member.begin()).headers };
  const seen = await server.request('GET', '/api/v1/alerts', asMember);
  expect(seen.json.data.map(({ value }: { value: number }) => value)).toEqual([50]);
  const own = await server.request('POST', `${RULES}/${rule.id}/test`, asMember);
  expect(own.json).toMatchObject({ total: 1, series: [{ labels: { integrationId: 'int_a' } }] });
  expect((await server.request('PATCH', `${RULES}/${rule.id}`, { ...asMember, body: {} })).status).toBe(403);
});
