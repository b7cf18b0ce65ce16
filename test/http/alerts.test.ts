import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { silentLog } from '../../src/core/log.ts';
import { AlertEvaluator } from '../../src/monitoring/alerts/evaluator.ts';
import { PerformanceMetrics } from '../../src/monitoring/metrics/performanceMetrics.ts';
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
  // As the recorder measures them.
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
    source: new PerformanceMetrics(database.current),
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

it('shows of every alert what keeps it unheard, as the list of active ones does', async () => {
  const { app } = server;
  await app.notifications.runOnce();
  const alertOf = async (id: string) =>
    (await server.request('GET', `/api/v1/alerts?integrationId=${id}`)).json.data[0];
  const key = ({ ruleId, fingerprint }: { ruleId: string; fingerprint: string }) => `${ruleId}/${fingerprint}`;
  const [a, b] = [await alertOf('int_a'), await alertOf('int_b')];
  const none = { silencedBy: [], inhibitedBy: null, maintenance: [], acknowledgement: null };
  expect(a).toMatchObject({ ...none, labels: { integrationId: 'int_a', platform: 'p', team: 'core' } });

  const endsAt = new Date(Date.now() + 3_600_000).toISOString();
  // A platform is no label that the rule groups by.
  const matchers = [{ label: 'platform', op: '=', value: 'p' }] as const;
  const silence = await app.notifications.silences.add({ matchers: [...matchers], comment: 'x', endsAt });
  const about = (id: string) => [{ label: 'integrationId', op: '=' as const, value: id }];
  const window = await app.notifications.maintenance.add({
    name: 'w',
    matchers: about('int_a'),
    comment: 'x',
    times: { cron: '* * * * *', durationMs: 3_600_000 },
  });
  const inhibition = await app.notifications.inhibitions.add({
    name: 'i',
    sourceMatchers: about('int_b'),
    targetMatchers: about('int_a'),
  });
  const named = { ruleId: b.ruleId, fingerprint: b.fingerprint };
  await app.notifications.acknowledgements.acknowledge({ alerts: [named], comment: 'on it' });

  const flagsOfA = {
    silencedBy: [silence.id],
    maintenance: [window.id],
    inhibitedBy: { rule: inhibition.id, alert: key(b) },
    acknowledgement: null,
  };
  const flagsOfB = { ...none, silencedBy: [silence.id], acknowledgement: { comment: 'on it', until: null } };
  expect(await alertOf('int_a')).toMatchObject(flagsOfA);
  expect(await alertOf('int_b')).toMatchObject(flagsOfB);
  const active = (await server.request('GET', '/api/v1/alerts/active')).json.data;
  expect(active.find((one: typeof a) => key(one) === key(a))).toMatchObject(flagsOfA);
  expect(active.find((one: typeof a) => key(one) === key(b))).toMatchObject(flagsOfB);
  await app.notifications.silences.end(silence.id);
  expect(await alertOf('int_b')).toMatchObject({ silencedBy: [] });
});

it('shows what is pending with what would keep it unheard, and nothing of what is over', async () => {
  const { app } = server;
  const { pool } = database.current;
  const [one] = (await server.request('GET', '/api/v1/alerts?integrationId=int_b')).json.data;
  const name = [one.ruleId, one.fingerprint];
  const endsAt = new Date(Date.now() + 3_600_000).toISOString();
  const matchers = [{ label: 'severity', op: '=' as const, value: 'error' }];
  const silence = await app.notifications.silences.add({ matchers, comment: 'x', endsAt });
  const seen = async () => {
    const state = 'state=pending';
    const over = 'state=normal';
    const listed = async (query: string) => (await server.request('GET', `/api/v1/alerts?${query}`)).json.data;
    return [...(await listed(state)), ...(await listed(over))].map(({ silencedBy }) => silencedBy);
  };
  await pool.query(`delete from notified_alerts where rule_id = $1 and fingerprint = $2`, name);
  const become = (state: string) =>
    pool.query(`update alert_instances set state = $3 where rule_id = $1 and fingerprint = $2`, [...name, state]);
  await become('pending');
  expect(await seen()).toEqual([[silence.id]]);
  await become('normal');
  expect(await seen()).toEqual([[]]);
  await app.notifications.silences.end(silence.id);
});

it('says in the status that rules cannot be evaluated', async () => {
  const { app } = server;
  await app.notifications.channels.add({ kind: 'webhook', name: 'w', settings: { url: 'http://127.0.0.1:9/x' } });
  const rule = await app.alerts.rules.create(errorRateRule());
  const status = async () => (await server.request('GET', '/api/v1/alerts/status')).json;
  expect(await status()).toMatchObject({ failingRules: 0, warning: null });
  await database.current.pool.query(`insert into alert_rule_failures values ($1, 'canceled', now())`, [rule.id]);
  expect(await status()).toMatchObject({ failingRules: 1, warning: expect.stringContaining('1 alert rules cannot') });
  await app.alerts.rules.update(rule.id, { enabled: false });
  expect(await status()).toMatchObject({ failingRules: 0 });
});

describe('the history', () => {
  const HISTORY = '/api/v1/alerts/history';
  const T = Date.UTC(2026, 0, 1);

  beforeAll(async () => {
    await database.current.pool.query(
      `truncate alert_changes;
       insert into alert_changes (seq, rule_id, fingerprint, rule_name, kind, severity, from_state, to_state, reason,
         labels, annotations, notify, integration_id, value, evidence, at)
       select n, 'arl_' || n % 2, '000000000000000' || n % 3, 'Rule', case when n % 5 = 0 then 'security' else 'system' end,
         'error', 'normal', case when n % 2 = 0 then 'firing' else 'pending' end, 'value', '{"a": "b"}', '{"summary": "s"}',
         '{"policyId": null, "channelIds": []}', (array[null, 'int_a', 'int_b'])[1 + n % 3], n, '{"samples": 1}',
         timestamptz '2026-01-01T00:00:00Z' + make_interval(mins => n / 2)
       from generate_series(1, 30) n`,
    );
  });
  const seqs = async (query: string, options?: object) => {
    const answer = await server.request('GET', `${HISTORY}?${query}`, options);
    expect(answer.status).toBe(200);
    return answer.json.data.map(({ seq }: { seq: number }) => seq);
  };
  const all = Array.from({ length: 30 }, (_, at) => 30 - at);
  const at = (minutes: number) => encodeURIComponent(new Date(T + minutes * 60_000).toISOString());

  it('has every change as it was told, newest first', async () => {
    const { json } = await server.request('GET', `${HISTORY}?limit=1`);
    expect(json.data).toEqual([
      {
        seq: 30,
        ruleId: 'arl_0',
        ruleName: 'Rule',
        fingerprint: '0000000000000000',
        kind: 'security',
        severity: 'error',
        from: 'normal',
        to: 'firing',
        reason: 'value',
        labels: { a: 'b' },
        annotations: { summary: 's' },
        integrationId: null,
        value: 30,
        at: new Date(T + 15 * 60_000).toISOString(),
      },
    ]);
    expect(await seqs('')).toEqual(all);
  });

  it('is paged without gaps or repetitions, also between changes of one moment', async () => {
    const read: number[] = [];
    let cursor = '';
    do {
      const { json } = await server.request('GET', `${HISTORY}?limit=7${cursor}`);
      read.push(...json.data.map(({ seq }: { seq: number }) => seq));
      cursor = json.nextCursor === null ? '' : `&cursor=${json.nextCursor}`;
    } while (cursor !== '');
    expect(read).toEqual(all);
    expect((await server.request('GET', `${HISTORY}?cursor=MTp4`)).status).toBe(400);
  });

  it.each<[string, (n: number) => boolean]>([
    ['ruleId=arl_1', (n) => n % 2 === 1],
    ['ruleId=arl_1&fingerprint=0000000000000002', (n) => n % 2 === 1 && n % 3 === 2],
    ['integrationId=int_b', (n) => n % 3 === 2],
    ['kind=security', (n) => n % 5 === 0],
    ['state=firing', (n) => n % 2 === 0],
    ['severity=info', () => false],
    [`since=${at(5)}&until=${at(10)}`, (n) => n >= 10 && n < 20],
  ])('is filtered by %s', async (query, holds) => {
    expect(await seqs(query)).toEqual(all.filter(holds));
  });

  it('takes monitoring:read, and shows of integrations what one may see', async () => {
    const nobody = await addMember(server.app, 'none');
    const refused = await server.request('GET', HISTORY, { key: null, headers: (await nobody.begin()).headers });
    expect(refused.status).toBe(403);
    const member = await addMember(server.app, 'developer');
    await database.current.pool.query(`update integrations set owner = $1 where id = 'int_b'`, [member.id]);
    const asMember = { key: null, headers: (await member.begin()).headers };
    expect(await seqs('', asMember)).toEqual(all.filter((n) => n % 3 !== 1));
    expect(await seqs('integrationId=int_a', asMember)).toEqual([]);
  });
});
