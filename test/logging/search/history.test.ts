import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LogHistory } from '../../../src/logging/search/logHistory.ts';
import { type IntegrationLog, LOG_LEVELS } from '../../../src/logging/types.ts';
import { addMember } from '../../access/support/members.ts';
import { openTestServer, type TestServer } from '../../http/testServer.ts';
import { useTestDatabase } from '../../support/database.ts';
import { writeLogs } from '../support.ts';

const database = useTestDatabase();
let server: TestServer;
const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

beforeAll(async () => {
  server = await openTestServer(database.url, { workers: false });
  await writeLogs(
    database.current,
    Array.from({ length: 300 }, (_, index) => ({
      integrationId: index % 3 === 0 ? 'int_a' : 'int_b',
      level: LOG_LEVELS[index % LOG_LEVELS.length]!,
      message: index % 10 === 0 ? `timeout ${index}` : `fine ${index}`,
      observedTimestamp: minutesAgo(300 - index),
      operationId: `op_${index % 5}`,
      attributes: { index },
    })),
  );
});
afterAll(() => server?.close());

const get = (path: string, headers?: Record<string, string>) =>
  server.request('GET', path, headers === undefined ? {} : { key: null, headers });

describe('GET /api/v1/logs', () => {
  it('gives the newest first, all of it once, also while more is written', async () => {
    const seen: IntegrationLog[] = [];
    let cursor: string | null = '';
    for (let page = 0; cursor !== null; page++) {
      const answer = await get(`/api/v1/logs?integrationId=int_a&limit=7${cursor && `&cursor=${cursor}`}`);
      expect(answer.status, answer.text).toBe(200);
      seen.push(...answer.json.data);
      cursor = answer.json.nextCursor;
      await writeLogs(database.current, [{ integrationId: 'int_a', message: `written at page ${page}` }]);
    }
    const indexes = seen.map(({ attributes }) => attributes.index);
    expect(indexes).toEqual(Array.from({ length: 100 }, (_, at) => 297 - 3 * at));
  });

  it('takes all that records are chosen by', async () => {
    const query = new URLSearchParams({
      integrationId: 'int_b',
      level: 'warn',
      searchQuery: 'timeout AND attributes.index:>=50',
      timeRange: '4h',
      operationId: 'op_0',
    });
    const { json } = await get(`/api/v1/logs?${query}`);
    const expected = Array.from({ length: 300 }, (_, index) => index)
      .filter((index) => index % 3 !== 0 && index % 6 >= 3 && index % 10 === 0 && index > 60 && index % 5 === 0)
      .reverse();
    expect(json.data.map((log: IntegrationLog) => log.attributes.index)).toEqual(expected);
    const levels = await get('/api/v1/logs?levels=debug,critical&limit=200');
    expect(new Set(levels.json.data.map((log: IntegrationLog) => log.level))).toEqual(new Set(['debug', 'critical']));
    const between = await get(`/api/v1/logs?from=${minutesAgo(100.5)}&to=${minutesAgo(90.5)}`);
    expect(between.json.data.map((log: IntegrationLog) => log.attributes.index)).toEqual([
      209, 208, 207, 206, 205, 204, 203, 202, 201, 200,
    ]);
  });

  it('says what is wrong with a search, a time, a cursor', async () => {
    const search = await get('/api/v1/logs?searchQuery=levle:error');
    expect(search.json).toMatchObject({ status: 400, code: 'INVALID_LOG_QUERY', details: { position: 0 } });
    for (const query of [
      'timeRange=soon',
      'from=2026-02-30&to=2026-03-05',
      'from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z',
      'cursor=abc',
      'limit=5000',
      'level=loud',
    ])
      expect((await get(`/api/v1/logs?${query}`)).json, query).toMatchObject({ status: 400, code: 'INVALID_INPUT' });
  });

  it('shows what may be seen: all, one’s own, or what a key is limited to', async () => {
    const { app } = server;
    const mine = await addMember(app, 'developer');
    const auditor = await addMember(app, 'auditor');
    const viewer = await addMember(app, 'viewer');
    const { id } = await app.catalog.create({ name: 'Mine', platform: 'github', owner: mine.id });
    const other = await app.catalog.create({ name: 'Other', platform: 'github', owner: 'somebody' });
    await writeLogs(database.current, [
      { integrationId: id, message: 'seen' },
      { integrationId: other.id, message: 'unseen' },
      { message: 'of the system' },
    ]);
    const messages = async (path: string, headers: Record<string, string>) =>
      (await get(path, headers)).json.data.map((log: IntegrationLog) => log.message);
    expect(await messages('/api/v1/logs', mine.asKey)).toEqual(['seen']);
    expect(await messages(`/api/v1/logs?integrationId=${id}`, mine.asKey)).toEqual(['seen']);
    expect(await messages(`/api/v1/logs?integrationId=${other.id}`, mine.asKey)).toEqual([]);
    expect(await messages('/api/v1/logs?integrationId=system', mine.asKey)).toEqual([]);
    expect(await messages(`/api/v1/integrations/${id}/logs`, mine.asKey)).toEqual(['seen']);
    expect((await get(`/api/v1/integrations/${other.id}/logs`, mine.asKey)).status).toBe(404);
    expect((await get('/api/v1/logs', auditor.asKey)).status).toBe(403);
    expect(await messages('/api/v1/logs?limit=3', viewer.asKey)).toEqual(['of the system', 'unseen', 'seen']);
    expect((await get('/api/v1/logs/export', viewer.asKey)).status).toBe(403);
    const histogram = await get('/api/v1/logs/histogram?timeRange=1h', mine.asKey);
    expect(histogram.json.buckets.reduce((sum: number, bucket: { total: number }) => sum + bucket.total, 0)).toBe(1);
    const lines = (await get('/api/v1/logs/export', mine.asKey)).text.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).message)).toEqual(['seen']);
  });
});

describe('GET /api/v1/logs/histogram', () => {
  it('counts what the search finds, by time and level, also where there is nothing', async () => {
    const { json } = await get(
      `/api/v1/logs/histogram?searchQuery=fine%20OR%20timeout&from=${minutesAgo(299.5)}&to=${minutesAgo(-1)}`,
    );
    const total = json.buckets.reduce((sum: number, bucket: { total: number }) => sum + bucket.total, 0);
    expect(total).toBe(299);
    expect(json.bucketMs).toBe(300_000);
    expect(json.buckets.length).toBeGreaterThan(59);
    for (const { total: all, levels } of json.buckets)
      expect(Object.values(levels as Record<string, number>).reduce((sum, count) => sum + count, 0)).toBe(all);
    const starts = json.buckets.map((bucket: { start: string }) => Date.parse(bucket.start));
    expect(starts.every((start: number, at: number) => at === 0 || start - starts[at - 1] === json.bucketMs)).toBe(
      true,
    );
  });
});

describe('GET /api/v1/logs/export', () => {
  it('gives every record as a line', async () => {
    const answer = await get('/api/v1/logs/export?integrationId=int_b&searchQuery=timeout');
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    const indexes = answer.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).attributes.index);
    expect(indexes).toEqual(Array.from({ length: 30 }, (_, at) => 290 - 10 * at).filter((index) => index % 3 !== 0));
  });
});

describe('the service', () => {
  it('gives an integration’s logs as the specification has it', async () => {
    const { comprehensiveLoggingService: service } = server.app;
    const logs = await service.getLogs('int_b', { level: 'error', timeRange: '24h', searchQuery: 'timeout' });
    expect(logs.length).toBeGreaterThan(0);
    expect(logs.every(({ message, severityNumber }) => message.includes('timeout') && severityNumber >= 17)).toBe(true);
  });

  it('refuses options that it does not know', async () => {
    const { comprehensiveLoggingService: service } = server.app;
    const options = { serchQuery: 'timeout' } as object;
    await expect(service.getLogs('int_b', options)).rejects.toThrow(
      /serchQuery: is no option. Did you mean "searchQuery"\?/,
    );
  });

  it('takes levels and retention of integrations that there are', async () => {
    const set = (scope: string, level: string | null) =>
      server.request('PUT', '/api/v1/logs/levels', { body: { scope, level } });
    expect((await set('int_nosuch', 'debug')).json).toMatchObject({ status: 404, code: 'INTEGRATION_NOT_FOUND' });
    // What is left of one that was deleted can be taken back.
    expect((await set('int_nosuch', null)).status).toBe(204);
    expect((await set('system', 'info')).status).toBe(204);
    expect((await set('system', null)).status).toBe(204);
    const rules = [{ scope: 'int_nosuch', level: null, keepDays: 1 }];
    expect((await server.request('PUT', '/api/v1/logs/retention', { body: { rules } })).status).toBe(404);
  });

  it('shows what was logged, to readers and to subscribers', async () => {
    const { comprehensiveLoggingService: service } = server.app;
    const seen: string[] = [];
    const ended = service.subscribeToLogs(({ message }) => seen.push(message), 'int_live');
    const failing = service.subscribeToLogs(() => {
      throw new Error('of the subscriber');
    });
    await service.log('int_live', 'warn', 'first', { operationId: 'op_live' });
    await service.log('int_other', 'warn', 'not of this one');
    await service.log('int_live', 'error', 'second');
    await expect.poll(() => seen).toEqual(['first', 'second']);
    const found = await service.getLogs('int_live', { operationId: 'op_live' });
    expect(found.map(({ message }) => message)).toEqual(['first']);
    ended();
    failing();
    await service.log('int_live', 'info', 'after the end');
    await service.flush();
    expect(seen).toEqual(['first', 'second']);
  });
});

describe('a search that takes too long', () => {
  it('is stopped with advice, and harms no other', async () => {
    const history = new LogHistory({ database: database.current, timeoutMs: 1 });
    await writeLogs(
      database.current,
      Array.from({ length: 5_000 }, () => ({ integrationId: 'int_many', message: 'x'.repeat(200) })),
    );
    const searching = history.read(null, { searchQuery: 'a*b*c*d*e' });
    await expect(searching).rejects.toMatchObject({
      code: 'LOG_SEARCH_STOPPED',
      message: expect.stringContaining('shorter time range'),
    });
    expect((await new LogHistory({ database: database.current }).read('int_a', { limit: 1 })).logs).toHaveLength(1);
  });

  it('waits for its turn, up to a number', async () => {
    const { history } = server.app.logs;
    const results = await Promise.allSettled(Array.from({ length: 200 }, () => history.read('int_a', { limit: 1 })));
    const codes = results.map((result) => (result.status === 'rejected' ? result.reason.code : 'done'));
    expect(codes.filter((code) => code === 'done')).toHaveLength(63);
    expect(new Set(codes)).toEqual(new Set(['done', 'LOG_SEARCH_BUSY']));
  });
});
