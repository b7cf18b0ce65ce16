import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { silentLog } from '../../src/core/log.ts';
import { HealthMonitor } from '../../src/monitoring/health/healthMonitor.ts';
import { HealthProbe, worstStatus } from '../../src/monitoring/health/healthProbe.ts';
import { LoopDelay } from '../../src/monitoring/metrics/loopDelay.ts';
import { SystemRecorder } from '../../src/monitoring/metrics/systemRecorder.ts';
import { useTestDatabase } from '../support/database.ts';
import { openTestServer, type TestServer } from './testServer.ts';

/** Stands between the app and its database, and can be away or silent. */
class Wire {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #silent = false;

  constructor(databaseUrl: string) {
    const target = new URL(databaseUrl);
    const folder = target.searchParams.get('host');
    this.#server = createServer((client) => {
      const port = Number(target.port || 5432);
      const upstream = folder === null ? connect(port, target.hostname) : connect(`${folder}/.s.PGSQL.${port}`);
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.#sockets.add(from);
        if (this.#silent) from.pause();
        else from.pipe(to);
        from
          .on('error', () => {})
          .on('close', () => {
            this.#sockets.delete(from);
            to.destroy();
          });
      }
    });
  }

  listen(port = 0): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  /** As when the server is stopped. */
  async cut(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** As when the network swallows everything. */
  silence(silent: boolean): void {
    this.#silent = silent;
    for (const socket of this.#sockets) {
      if (silent) socket.pause();
      else socket.resume();
    }
  }
}

describe('the probes', () => {
  const database = useTestDatabase();
  let wire: Wire;
  let port: number;
  let server: TestServer;

  beforeAll(async () => {
    wire = new Wire(database.url);
    port = await wire.listen();
    const url = new URL(database.url);
    url.hostname = '127.0.0.1';
    url.port = String(port);
    url.searchParams.delete('host');
    server = await openTestServer(url.href, { workers: false });
  });
  afterAll(async () => {
    await server?.close();
    await wire?.cut();
  });

  const status = async (path: string) => {
    const { status: code, json } = await server.request('GET', path, { key: null });
    return { code, status: json.status, database: json.checks.database.status };
  };
  const becomes = async (path: string, expected: object) => {
    for (let attempt = 0; attempt < 200; attempt++) {
      if (JSON.stringify(await status(path)) === JSON.stringify(expected)) return;
      await delay(100);
    }
    expect(await status(path)).toEqual(expected);
  };
  const well = { code: 200, status: 'pass', database: 'pass' };
  const ill = { code: 503, status: 'fail', database: 'fail' };

  it('pass while everything answers, with what was seen and when', async () => {
    await becomes('/health', well);
    await becomes('/readyz', well);
    const health = await server.request('GET', '/health', { key: null });
    expect(health.headers.get('content-type')).toBe('application/health+json; charset=utf-8');
    expect(health.json).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      uptimeSeconds: expect.any(Number),
    });
    for (const part of ['database', 'migrations', 'workers', 'eventLoop'])
      expect(health.json.checks[part], part).toMatchObject({
        status: 'pass',
        observedValue: expect.any(Number),
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      });
  });

  it('turn when the database stops, and back when it is there again', async () => {
    await wire.cut();
    await becomes('/health', ill);
    await becomes('/readyz', ill);
    expect((await server.request('GET', '/livez', { key: null })).status).toBe(200);
    expect(await server.request('GET', '/api/v1/integrations')).toMatchObject({
      status: 503,
      json: { code: 'UNAVAILABLE' },
    });
    wire = new Wire(database.url);
    await wire.listen(port);
    await becomes('/health', well);
    await becomes('/readyz', well);
    expect((await server.request('GET', '/api/v1/integrations')).status).toBe(200);
  });

  it('turn when the database hangs, without waiting for it', async () => {
    wire.silence(true);
    await becomes('/health', ill);
    await becomes('/readyz', ill);
    wire.silence(false);
    await becomes('/health', well);
    await becomes('/readyz', well);
  });

  it('say when schedules are due and nobody fires them', async () => {
    const { pool } = database.current;
    await pool.query(
      `insert into integrations (id, owner, name, type, platform, status, configuration)
       values ('int_x', 'default', 'x', 'x', 'http', 'pending', '{}')`,
    );
    await pool.query(
      `insert into sync_schedules (integration_id, frequency, next_due_at) values ('int_x', 'hourly', now() - interval '2 minutes')`,
    );
    const loopDelay = new LoopDelay();
    onTestFinished(() => loopDelay.close());
    const { clock, log } = { clock: systemClock, log: silentLog };
    const system = new SystemRecorder({ database: database.current, clock, log, dataDir: tmpdir(), loopDelay });
    const rateLimits = () => server.app.rateLimitingService.storeState();
    const lookSince = async (ms: number) => {
      const watchingSinceMs = performance.now() - ms;
      const health = new HealthMonitor({
        database: database.current,
        clock,
        system,
        loopDelay,
        rateLimits,
        alerting: true,
        watchingSinceMs,
      });
      return (await health.check(1_000)).checks.services.workers;
    };
    expect(await lookSince(120_000)).toMatchObject({
      status: 'fail',
      output: expect.stringMatching(/no process fires them/),
    });
    // A process that has just started is not blamed for what became due while everything was down.
    expect(await lookSince(0)).toMatchObject({ status: 'pass' });
    await pool.query('delete from integrations');
  });

  it('say when a migration is missing', async () => {
    const { pool } = database.current;
    const { rows } = await pool.query(
      'delete from schema_migrations where version = (select max(version) from schema_migrations) returning *',
    );
    const migrations = async () => (await server.request('GET', '/readyz', { key: null })).json.checks.migrations;
    for (let attempt = 0; (await migrations()).status !== 'fail' && attempt < 50; attempt++) await delay(100);
    expect(await migrations()).toMatchObject({ status: 'fail', output: expect.stringMatching(/npm run migrate/) });
    await pool.query('insert into schema_migrations select * from json_populate_record(null::schema_migrations, $1)', [
      rows[0],
    ]);
  });
});

describe('a health probe', () => {
  it('lets nobody wait for a part that hangs, and looks once at a time', async () => {
    let looks = 0;
    let answer = () => {};
    const probe = new HealthProbe(
      () =>
        new Promise((resolve) => {
          looks++;
          answer = () => resolve({ status: 'pass', observedValue: looks });
        }),
      systemClock,
    );
    expect(await probe.check(10)).toMatchObject({
      status: 'warn',
      output: expect.stringMatching(/^No answer for \d+ ms/),
    });
    expect(await probe.check(1_000)).toMatchObject({ status: 'fail' });
    expect(looks).toBe(1);
    answer();
    expect(await probe.check(1_000)).toMatchObject({ status: 'pass', observedValue: 1 });
    // Fresh enough for everybody else.
    expect(await probe.check(0)).toMatchObject({ status: 'pass', observedValue: 1 });
  });

  it('is as it was seen a moment ago while it is looked at, and fails when it stays silent', async () => {
    let nowMs = 0;
    const clock = { ...systemClock, monotonicMs: () => nowMs };
    let hangs = false;
    const probe = new HealthProbe(
      () => (hangs ? new Promise(() => {}) : Promise.resolve({ status: 'pass', observedValue: 1 })),
      clock,
    );
    const { time } = await probe.check(1_000);
    hangs = true;
    nowMs = 5_000;
    expect(await probe.check(10)).toEqual({ status: 'pass', observedValue: 1, time });
    nowMs = 5_999;
    expect(await probe.check(10)).toMatchObject({ status: 'pass' });
    nowMs = 6_000;
    expect(await probe.check(10)).toMatchObject({ status: 'fail', output: 'No answer for 1000 ms.' });
  });

  it('goes on failing while what failed is silent', async () => {
    let nowMs = 0;
    const clock = { ...systemClock, monotonicMs: () => nowMs };
    let hangs = false;
    const probe = new HealthProbe(
      () => (hangs ? new Promise(() => {}) : Promise.reject(new Error('connection refused'))),
      clock,
    );
    expect(await probe.check(1_000)).toMatchObject({ status: 'fail', output: 'connection refused' });
    nowMs = 15_000;
    hangs = true;
    expect(await probe.check(10)).toMatchObject({ status: 'fail', output: 'No answer for 0 ms.' });
  });

  it('is as bad as its worst part', () => {
    expect(worstStatus([{ status: 'pass' }, { status: 'fail' }, { status: 'warn' }])).toBe('fail');
    expect(worstStatus([{ status: 'pass' }, { status: 'warn' }])).toBe('warn');
    expect(worstStatus([{ status: 'pass' }])).toBe('pass');
  });
});
