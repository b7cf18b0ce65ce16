import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../src/app.ts';
import { actAs } from '../../src/audit/acting.ts';
import { InvalidInputError } from '../../src/core/errors.ts';
import { openTestApp } from '../support/app.ts';
import { useTestDatabase } from '../support/database.ts';

const database = useTestDatabase();
let app: App;
beforeAll(async () => {
  app = await openTestApp(database.url, { workers: false });
});
afterAll(() => app.close());

async function stored(integrationId: string) {
  await app.comprehensiveLoggingService.flush();
  const { rows } = await database.current.pool.query('select * from logs where integration_id = $1 order by seq', [
    integrationId,
  ]);
  return rows;
}

describe('a record', () => {
  it('is stored with its columns and attributes, and read again', async () => {
    const at = new Date(Date.now() - 5_000).toISOString();
    await app.comprehensiveLoggingService.log('int-a', 'info', 'Integration sync started', {
      syncId: 'sync-456',
      timestamp: at,
      operationId: 'op_1',
      requestId: 'req_1',
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      eventName: 'sync.started',
      nested: { list: [1, 2n, new Date(0), null, undefined], ok: true },
    });
    await app.comprehensiveLoggingService.flush();
    const logs = await app.comprehensiveLoggingService.getLogs('int-a', { level: 'info', timeRange: '24h' });
    expect(logs).toEqual([
      {
        seq: expect.any(Number),
        timestamp: at,
        observedTimestamp: expect.any(String),
        integrationId: 'int-a',
        level: 'info',
        severityNumber: 9,
        message: 'Integration sync started',
        eventName: 'sync.started',
        operationId: 'op_1',
        requestId: 'req_1',
        traceId: '0af7651916cd43dd8448eb211c80319c',
        spanId: 'b7ad6b7169203331',
        attributes: {
          syncId: 'sync-456',
          nested: { list: [1, '2', '1970-01-01T00:00:00.000Z', null, null], ok: true },
        },
      },
    ]);
  });

  it('takes the request of whoever acts', async () => {
    const actor = { kind: 'user', id: 'usr_1' } as const;
    await actAs({ actor, origin: { requestId: 'req_acting' } }, () =>
      app.comprehensiveLoggingService.log('int-b', 'warn', 'by somebody'),
    );
    expect((await stored('int-b'))[0].request_id).toBe('req_acting');
  });

  it('is one line of bounded length, whatever it was', async () => {
    const nasty = 'a\r\nb\tc\u0000\u001b[31mred\u001b[0m\u2028 \ud800 \\n \\ "quoted"';
    await app.comprehensiveLoggingService.log('int-c', 'info', `${nasty}${'x'.repeat(100_000)}`, {
      [nasty]: nasty,
      long: 'y'.repeat(100_000),
      wide: Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`k${index}`, 'v'.repeat(100)])),
      deep: Array.from({ length: 100 }).reduce<object>((inner) => ({ inner }), {}),
    });
    const [row] = await stored('int-c');
    expect(row.message).toMatch(/^a b c red {2}\ufffd \\n \\ "quoted"x+…\[cut: \d+ characters\]$/);
    expect(row.attributes).toHaveProperty(['a b c red  \ufffd \\n \\ "quoted"'], 'a b c red  \ufffd \\n \\ "quoted"');
    expect(JSON.stringify(row).length).toBeLessThan(40_000);
  });

  it('survives metadata that bites', async () => {
    const cyclic: Record<string, unknown> = { name: 'cyclic' };
    cyclic.self = cyclic;
    const biting = Object.defineProperty({}, 'bites', {
      enumerable: true,
      get() {
        throw new Error('bitten');
      },
    });
    const error = new Error('outer', { cause: new TypeError('inner') });
    await app.comprehensiveLoggingService.log('int-d', 'error', 'odd', {
      cyclic,
      biting,
      error,
      f: () => 1,
      s: Symbol('s'),
    });
    const [row] = await stored('int-d');
    expect(row.attributes.biting).toEqual({ bites: '[unreadable]' });
    expect(row.attributes.error).toMatchObject({ type: 'Error', message: 'outer', cause: { type: 'TypeError' } });
    expect(row.attributes.error.stack[0]).toMatch(/^at /);
  });

  it('is refused with every fault named', async () => {
    const log = app.comprehensiveLoggingService.log('a b', 'fatal' as 'error', 5 as never, [] as never);
    await expect(log).rejects.toThrow(InvalidInputError);
    await expect(log).rejects.toThrow(/integrationId.*level.*message.*metadata/s);
  });
});

it('the program’s own log goes the same way, by integration or to the system', async () => {
  app.log.warn('of an integration', { integrationId: 'int-e', reason: 'because' });
  app.log.error('of nobody', { integrationId: 'not a scope\n', error: new Error('x') });
  const [row] = await stored('int-e');
  expect(row).toMatchObject({ message: 'of an integration', severity: 13, attributes: { reason: 'because' } });
  const system = await stored('system');
  expect(system.map(({ message }) => message)).toContain('of nobody');
});

describe('levels', () => {
  it('are those of the start, until they are set for all, for one, or in the environment', async () => {
    const { settings } = app.comprehensiveLoggingService;
    const log = (scope: string, message: string) => app.comprehensiveLoggingService.log(scope, 'debug', message);
    await log('int-f', 'at the start');
    await settings.setLevel('int-f', 'debug');
    await log('int-f', 'set for one');
    await log('int-g', 'set for another one');
    await settings.setLevel('*', 'debug');
    await log('int-g', 'set for all');
    await settings.setLevel('int-f', 'error');
    await log('int-f', 'more than is asked');
    await settings.setLevel('*', null);
    const before = process.env.LOG_LEVEL;
    process.env.LOG_LEVEL = 'debug';
    await log('int-g', 'set in the environment');
    if (before === undefined) delete process.env.LOG_LEVEL;
    else process.env.LOG_LEVEL = before;
    await log('int-g', 'as before');
    await settings.setLevel('int-f', null);
    expect((await stored('int-f')).map(({ message }) => message)).toEqual(['set for one']);
    expect((await stored('int-g')).map(({ message }) => message)).toEqual(['set for all', 'set in the environment']);
    const { rows } = await database.current.pool.query(
      `select count(*)::int as changes from audit_pending where convert_from(event, 'utf8') like '%log_level.changed%'`,
    );
    expect(rows[0].changes).toBe(5);
  });

  it('are followed by another replica', async () => {
    const other = await openTestApp(database.url, { workers: false });
    try {
      await app.comprehensiveLoggingService.settings.setLevel('int-h', 'debug');
      await expect.poll(() => other.log.isVerbose?.('int-h'), { timeout: 10_000 }).toBe(true);
    } finally {
      await app.comprehensiveLoggingService.settings.setLevel('int-h', null);
      await other.close();
    }
  });
});

it('two replicas number their records without a gap, each in the order of its calls', async () => {
  const other = await openTestApp(database.url, { workers: false });
  const { rows } = await database.current.pool.query('select next from log_sequence');
  const first = Number(rows[0].next);
  const write = async (one: App, scope: string) => {
    for (let round = 0; round < 20; round++) {
      const calls = Array.from({ length: 25 }, (_, index) =>
        one.comprehensiveLoggingService.log(scope, 'info', 'numbered', { index: round * 25 + index }),
      );
      await Promise.all(calls);
    }
    await one.comprehensiveLoggingService.flush();
  };
  await Promise.all([write(app, 'int-one'), write(other, 'int-two')]);
  await other.close();
  const all = await database.current.pool.query('select seq from logs where seq >= $1 order by seq', [first]);
  expect(all.rows.map(({ seq }) => seq)).toEqual(all.rows.map((_, index) => first + index));
  for (const scope of ['int-one', 'int-two']) {
    expect((await stored(scope)).map(({ attributes }) => attributes.index)).toEqual(
      Array.from({ length: 500 }, (_, i) => i),
    );
  }
});

it('leaves no journal behind when it is closed', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'integration-services-test-'));
  const other = await openTestApp(database.url, { workers: false, environment: { DATA_DIR: dataDir } });
  await other.comprehensiveLoggingService.log('int-i', 'error', 'one');
  expect(readdirSync(join(dataDir, 'logs', 'journals'))).toHaveLength(1);
  await other.close();
  expect(readdirSync(join(dataDir, 'logs', 'journals'))).toEqual([]);
  expect(await stored('int-i')).toHaveLength(1);
  rmSync(dataDir, { recursive: true, force: true });
});
