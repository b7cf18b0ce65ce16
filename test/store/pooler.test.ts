import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { databaseAccount } from '../../src/store/embedded/account.ts';
import { eventually } from '../support/eventually.ts';
import { storeContract } from './contract.ts';

const installed = spawnSync('pgbouncer', ['--version']).status === 0;
const SERVER_CONNECTIONS = 4;

if (!installed && process.env.REQUIRE_SERVICES) throw new Error('pgbouncer is needed: apt-get install pgbouncer');

describe.skipIf(!installed)('through PgBouncer in transaction mode (skipped where it is not installed)', () => {
  const adminUrl = inject('adminUrl');
  const name = inject('templateName').replace(/template$/, `pooled_${randomBytes(4).toString('hex')}`);
  let database: Database;
  let bouncer: ChildProcess;
  let folder: string;

  beforeAll(async () => {
    await onServer((client) => client.query(`create database ${name}`));
    // PgBouncer does not run as root, and must reach the embedded server's socket.
    const account = databaseAccount('/nonexistent');
    folder = mkdtempSync(join(tmpdir(), 'pgbouncer-'));
    const port = await freePort();
    const upstream = new URL(adminUrl);
    const password = upstream.password && ` password='${decodeURIComponent(upstream.password)}'`;
    writeFileSync(
      join(folder, 'pgbouncer.ini'),
      `[databases]
* = host=${upstream.searchParams.get('host') ?? upstream.hostname} port=${upstream.port || 5432} user=${upstream.username}${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${SERVER_CONNECTIONS}
max_client_conn = 100
`,
    );
    if (account) {
      chownSync(folder, account.uid, account.gid);
      chownSync(join(folder, 'pgbouncer.ini'), account.uid, account.gid);
    }
    bouncer = spawn('pgbouncer', ['-q', join(folder, 'pgbouncer.ini')], {
      stdio: 'ignore',
      ...(account && { uid: account.uid, gid: account.gid }),
    });
    const url = `postgresql://app@127.0.0.1:${port}/${name}`;
    database = await eventually('pgbouncer', () =>
      openDatabase({ url, dataDir: '', poolSize: 20 }).catch((error: unknown) => {
        if ((error as { code?: unknown }).code === 'UNAVAILABLE') return null;
        throw error;
      }),
    );
  });

  afterAll(async () => {
    await database?.close();
    bouncer?.kill('SIGKILL');
    rmSync(folder, { recursive: true });
    await onServer((client) => client.query(`drop database ${name} with (force)`));
  });

  storeContract({
    get current() {
      return database;
    },
  });

  test('statements of one connection went to several sessions, and nothing stayed behind in them', async () => {
    const sessions = new Set<number>();
    await Promise.all(
      Array.from({ length: 40 }, async () => {
        const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid, pg_sleep(0.01)`.execute(
          database.db,
        );
        sessions.add(rows[0]!.pid);
      }),
    );
    expect(sessions.size).toBeGreaterThan(1);
    expect(sessions.size).toBeLessThanOrEqual(SERVER_CONNECTIONS);
    const { rows } = await sql`
      select 'advisory lock' as what from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())
      union all select 'prepared ' || name from pg_prepared_statements
      union all select 'listening ' || pg_listening_channels()
      union all select 'set ' || name from pg_settings where source = 'session' and name not in ('application_name', 'client_encoding', 'transaction_isolation')`.execute(
      database.db,
    );
    expect(rows).toEqual([]);
  });

  async function onServer(run: (client: pg.Client) => Promise<unknown>): Promise<void> {
    const client = new pg.Client({ connectionString: adminUrl });
    await client.connect();
    await run(client);
    await client.end();
  }
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
