import { randomUUID } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { UnavailableError } from '../../src/core/errors.ts';
import { newId } from '../../src/core/ids.ts';
import { silentLog } from '../../src/core/log.ts';
import { AttemptLog } from '../../src/outgoing/attemptLog.ts';
import type { AttemptRecord } from '../../src/outgoing/types.ts';
import { useTestDatabase } from '../support/database.ts';

const database = useTestDatabase();

const attempt = (integrationId: string, rest: Partial<AttemptRecord> = {}): AttemptRecord => ({
  id: newId('attempt'),
  operationId: 'op_1',
  integrationId,
  operation: 'sync',
  attempt: 1,
  method: 'GET',
  host: 'api.example.com',
  path: '/v1/items',
  status: 200,
  outcome: 'success',
  startedAt: new Date(),
  durationMs: 12.5,
  waitMs: 0,
  firstByteMs: 10.25,
  phases: { backoffMs: 0, rateLimitMs: 0, queueMs: 0, connectMs: 1, firstByteMs: 9.25, bodyMs: 2.25 },
  responseBytes: 3_000_000_000,
  error: null,
  ...rest,
});

const rowsOf = async (integrationId: string) =>
  (
    await database.current.pool.query('select * from outgoing_attempts where integration_id = $1 order by id', [
      integrationId,
    ])
  ).rows;

function open(pool: pg.Pool = database.current.pool, warnings: string[] = []) {
  const log = new AttemptLog({ pool }, { ...silentLog, warn: (message) => warnings.push(message) });
  onTestFinished(() => log.close());
  return log;
}

/** The database as seen through a wire that can be cut. */
async function cuttable() {
  const target = new URL(database.url);
  const sockets = new Set<Socket>();
  let cut = false;
  let hideAnswer = false;
  const server = createServer((client) => {
    if (cut) return client.destroy();
    const upstream = target.searchParams.has('host')
      ? connect(`${target.searchParams.get('host')}/.s.PGSQL.${target.port || 5432}`)
      : connect(Number(target.port || 5432), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    client.pipe(upstream);
    upstream.on('data', (answer) => {
      // CommandComplete of an insert: done, and nobody hears of it.
      if (hideAnswer && answer.includes('INSERT 0')) {
        hideAnswer = false;
        client.destroy();
      } else client.write(answer);
    });
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    return undefined;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const pool = new pg.Pool({
    host: '127.0.0.1',
    port,
    user: decodeURIComponent(target.username),
    password: decodeURIComponent(target.password),
    database: target.pathname.slice(1),
    max: 2,
    connectionTimeoutMillis: 2_000,
  });
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  onTestFinished(async () => {
    await pool.end();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    pool,
    cut: () => {
      cut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend: () => {
      cut = false;
    },
    /** The next insert is carried out, but its confirmation is lost. */
    loseConfirmation: () => {
      hideAnswer = true;
    },
  };
}

describe('the attempt log', () => {
  it('writes every field as it was', async () => {
    const log = open();
    const one = attempt('int_fields', {
      status: null,
      outcome: 'timeout',
      firstByteMs: null,
      attempt: 3,
      startedAt: new Date(Date.now() - 1_234),
      error: 'there was no\0 answer',
    });
    log.record(one);
    await log.flush();
    expect(await rowsOf('int_fields')).toEqual([
      {
        id: one.id,
        operation_id: 'op_1',
        integration_id: 'int_fields',
        operation: 'sync',
        attempt: 3,
        method: 'GET',
        host: 'api.example.com',
        path: '/v1/items',
        status: null,
        outcome: 'timeout',
        started_at: one.startedAt,
        duration_ms: 12.5,
        wait_ms: 0,
        first_byte_ms: null,
        response_bytes: 3_000_000_000,
        error: 'there was no answer',
      },
    ]);
  });

  it('writes by itself, and a burst in batches', async () => {
    const log = open();
    for (let index = 0; index < 1_234; index++) log.record(attempt('int_burst'));
    await expect.poll(async () => (await rowsOf('int_burst')).length, { timeout: 10_000 }).toBe(1_234);
    expect(log.dropped).toBe(0);
  });

  it('has written what came before, when a flush resolves', async () => {
    const log = open();
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        log.record(attempt(`int_flush_${index}`));
        await log.flush();
        expect(await rowsOf(`int_flush_${index}`)).toHaveLength(1);
      }),
    );
  });

  it('does not let a row that the table refuses keep the others out', async () => {
    const warnings: string[] = [];
    const log = open(undefined, warnings);
    for (let index = 0; index < 100; index++) {
      const wrong = index === 17 || index === 63;
      log.record(attempt('int_poison', wrong ? { startedAt: new Date('1999-01-01') } : {}));
    }
    await log.flush();
    expect(await rowsOf('int_poison')).toHaveLength(98);
    expect(log.dropped).toBe(2);
    expect(warnings).toEqual(['Attempts of outgoing calls were not recorded']);
  });

  it('keeps what it has while the database is away, and writes each once when it is back', async () => {
    const wire = await cuttable();
    const log = open(wire.pool);
    const id = `int_${randomUUID()}`;
    log.record(attempt(id));
    await log.flush();
    wire.cut();
    for (let index = 0; index < 700; index++) log.record(attempt(id));
    await expect(log.flush()).rejects.toThrow(UnavailableError);
    await expect(log.flush()).rejects.toThrow(UnavailableError);
    wire.mend();
    await expect.poll(async () => (await rowsOf(id)).length, { timeout: 15_000 }).toBe(701);
    expect(log.dropped).toBe(0);
  });

  it('writes a row once although the confirmation of its batch was lost', async () => {
    const wire = await cuttable();
    const log = open(wire.pool);
    const id = `int_${randomUUID()}`;
    wire.loseConfirmation();
    for (let index = 0; index < 10; index++) log.record(attempt(id));
    await expect(log.flush()).rejects.toThrow();
    expect(await rowsOf(id)).toHaveLength(10);
    await log.flush();
    expect(await rowsOf(id)).toHaveLength(10);
    expect(log.dropped).toBe(0);
  });

  it('is bounded, and counts what it could not keep', async () => {
    const wire = await cuttable();
    const warnings: string[] = [];
    const log = open(wire.pool, warnings);
    const id = `int_${randomUUID()}`;
    wire.cut();
    for (let index = 0; index < 10_500; index++) log.record(attempt(id));
    expect(log.dropped).toBe(500);
    wire.mend();
    await log.close();
    expect(await rowsOf(id)).toHaveLength(10_000);
    log.record(attempt(id));
    expect(log.dropped).toBe(501);
    expect(warnings.length).toBeLessThan(5);
  });

  it('closes although the database stays away, and says what is lost', async () => {
    const wire = await cuttable();
    const warnings: string[] = [];
    const log = open(wire.pool, warnings);
    wire.cut();
    for (let index = 0; index < 10; index++) log.record(attempt('int_lost'));
    await log.close();
    expect(log.dropped).toBe(10);
    expect(warnings.at(-1)).toBe('Attempts of outgoing calls were not recorded');
  });
});
