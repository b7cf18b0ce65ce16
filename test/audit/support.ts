import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { AuditLog, type AuditLogOptions } from '../../src/audit/auditLog.ts';
import type { AuditEvent } from '../../src/audit/types.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLog } from '../../src/core/log.ts';
import { createJobs } from '../../src/jobs/jobs.ts';
import type { Database } from '../../src/store/database.ts';
import { openInstallation } from '../credentials/installation.ts';

export const SECRET_OF_TESTS = 'a-known-secret-of-these-tests';

/** An audit log on a database, with a data folder of its own, until the end of the test. */
export async function openAuditLog(
  database: Database,
  options: Partial<AuditLogOptions> = {},
): Promise<AuditLog & { dataDir: string }> {
  const { store } = await openInstallation(database);
  const dataDir = options.dataDir ?? makeDataDir();
  const jobs = createJobs(database, () => {});
  const log = new AuditLog({
    database,
    credentials: store,
    jobs,
    clock: systemClock,
    log: silentLog,
    dataDir,
    origin: 'audit.example.com/test',
    webhook: null,
    secrets: [SECRET_OF_TESTS],
    ...options,
  });
  onTestFinished(() => log.close());
  return Object.assign(log, { dataDir });
}

export function makeDataDir(): string {
  const dataDir = mkdtempSync(join(tmpdir(), 'is-audit-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  return dataDir;
}

export function someEvent(number: number, more: Partial<AuditEvent> = {}): AuditEvent {
  return {
    actor: { kind: 'user', id: `usr_${number % 7}` },
    action: number % 3 === 0 ? 'integration.updated' : 'credential.released',
    outcome: number % 11 === 0 ? 'denied' : 'success',
    target: { kind: 'integration', id: `int_${number % 5}` },
    integrationId: `int_${number % 5}`,
    origin: { address: '192.0.2.7', requestId: `req_${number}` },
    details: { number },
    ...more,
  };
}

/** Makes the log empty again, as only somebody with every right on the database can. */
export async function emptyAuditLog({ pool }: Database): Promise<void> {
  await asOwner({ pool }, async (run) => {
    await run('truncate audit_pending, audit_entries, audit_nodes, audit_checkpoints, audit_signing_keys');
    await run(`delete from audit_tree; insert into audit_tree (size, frontier, signed_size) values (0, '', 0);
      update audit_checks set size = 0, frontier = '', began_at = null, finished_at = null, checked_at = null, finding = null`);
  });
}

const TRIGGERS = {
  audit_pending: 'audit_pending_unchanged',
  audit_entries: 'audit_entries_append_only',
  audit_nodes: 'audit_nodes_append_only',
  audit_checkpoints: 'audit_checkpoints_append_only',
};

/** Statements of somebody who owns the tables and has switched the triggers off. */
export async function asOwner(
  { pool }: Pick<Database, 'pool'>,
  act: (run: (statement: string, values?: unknown[]) => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const triggers = (how: string) =>
    Object.entries(TRIGGERS)
      .map(([table, trigger]) => `alter table ${table} ${how} trigger ${trigger}`)
      .join('; ');
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(triggers('disable'));
    await act((statement, values) => client.query(statement, values));
    await client.query(triggers('enable always'));
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}
