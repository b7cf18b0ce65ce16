import { appendFileSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Checkpoint, openCheckpoint, splitNotes } from '../../src/audit/checkpoint.ts';
import { KeptFiles } from '../../src/audit/keptFiles.ts';
import { parseVerifierKey } from '../../src/audit/signedNote.ts';
import { type Log, silentLog } from '../../src/core/log.ts';
import { createJobs } from '../../src/jobs/jobs.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { asOwner, emptyAuditLog, makeDataDir, openAuditLog, someEvent } from './support.ts';

const database = useTestDatabase();
beforeEach(() => emptyAuditLog(database.current));

const paths = (dataDir: string) => ({
  checkpoints: join(dataDir, 'audit', 'checkpoints.log'),
  leaves: join(dataDir, 'audit', 'leaves.bin'),
});
const keptSizes = (dataDir: string) =>
  splitNotes(readFileSync(paths(dataDir).checkpoints, 'utf8')).map((note) => Number(note.split('\n')[1]));

describe('what is kept outside the database', () => {
  it('follows it: every checkpoint, and the leaf hash of every entry under one', async () => {
    const log = await openAuditLog(database.current, { checkpointRows: 10, checkpointMs: 100 });
    log.start();
    await log.recordMany(
      database.current.db,
      Array.from({ length: 25 }, (_, at) => someEvent(at)),
    );
    await eventually('the file', () => safely(() => keptSizes(log.dataDir).at(-1) === 25));
    const { rows } = await database.current.pool.query('select leaf_hash from audit_entries order by seq');
    expect(readFileSync(paths(log.dataDir).leaves)).toEqual(Buffer.concat(rows.map(({ leaf_hash }) => leaf_hash)));
    expect(statSync(paths(log.dataDir).checkpoints).mode & 0o777).toBe(0o600);
  });

  it('goes on after a crash in the middle of a write', async () => {
    const log = await openAuditLog(database.current);
    const { dataDir } = log;
    for (const [round, torn] of [
      'audit.example.com/test\n9',
      'audit.example.com/test\n9\nAAAA\n\n— audit',
      '',
    ].entries()) {
      await log.record(database.current.db, someEvent(round));
      await log.flush();
      await new KeptFiles(dataDir).catchUp(database.current.db, round + 1);
      appendFileSync(paths(dataDir).checkpoints, torn);
      truncateSync(paths(dataDir).leaves, 32 * (round + 1) - round);
    }
    await log.record(database.current.db, someEvent(3));
    await log.flush();
    await new KeptFiles(dataDir).catchUp(database.current.db, 4);
    expect(keptSizes(dataDir)).toEqual([1, 2, 3, 4]);
    expect(statSync(paths(dataDir).leaves).size).toBe(4 * 32);
    expect(await log.verify()).toMatchObject({ entries: 4, signedSize: 4, exact: true, finding: null });
  });

  it('tells when the database is an older one', async () => {
    const said: string[] = [];
    const listening: Log = { ...silentLog, error: (message) => void said.push(message) };
    const first = await openAuditLog(database.current);
    await first.recordMany(
      database.current.db,
      Array.from({ length: 5 }, (_, at) => someEvent(at)),
    );
    await first.flush();
    await new KeptFiles(first.dataDir).catchUp(database.current.db, 5);
    // The key stays; everything else is as it was before.
    await asOwner(database.current, async (run) => {
      await run('truncate audit_entries, audit_nodes, audit_checkpoints');
      await run(`update audit_tree set size = 0, frontier = '', signed_size = 0, unsigned_since = null`);
    });
    const log = await openAuditLog(database.current, { dataDir: first.dataDir, log: listening });
    log.start();
    await eventually('the warning', () => said.some((line) => line.includes('older than the checkpoints kept')));
    expect((await log.verify()).finding).toMatchObject({ kind: 'truncation', seq: 0, lastSeq: 4 });
  });
});

describe('the webhook', () => {
  it('gets every checkpoint, also when it fails at first', async () => {
    const taken: string[] = [];
    let failures = 2;
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => {
        if (failures-- > 0) return response.writeHead(503).end();
        taken.push(`${request.method} ${request.headers['content-type']}\n${body}`);
        response.writeHead(204).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/checkpoints?token=t`;
    const jobs = createJobs(database.current, () => {});
    const webhook = { url, allowedPrivateHosts: ['127.0.0.1'] };
    const log = await openAuditLog(database.current, { webhook, jobs });
    onTestFinished(() => jobs.stop());
    await jobs.start();
    await log.record(database.current.db, someEvent(1));
    await log.flush();
    await eventually('the delivery', () => taken.length === 1);
    const [head, ...note] = taken[0]!.split('\n');
    expect(head).toBe('POST text/plain; charset=utf-8');
    const key = parseVerifierKey(await log.verifierKey());
    expect(openCheckpoint(note.join('\n'), key)).toMatchObject<Partial<Checkpoint>>({ size: 1 });
  });

  it('is not reached at a private address that is not allowed', async () => {
    const said: string[] = [];
    const jobs = createJobs(database.current, (line) => void said.push(line));
    const webhook = { url: 'http://127.0.0.1:9/secret-path', allowedPrivateHosts: [] };
    const log = await openAuditLog(database.current, { webhook, jobs, dataDir: makeDataDir() });
    onTestFinished(() => jobs.stop());
    await jobs.start();
    await log.record(database.current.db, someEvent(1));
    await log.flush();
    await eventually('the refusal', () => said.find((line) => line.includes('AUDIT_CHECKPOINT_WEBHOOK')));
    expect(said.join('\n')).toMatch(/loopback|private|not be called|allowed/i);
    expect(said.join('\n')).not.toContain('secret-path');
  });
});

function safely(look: () => boolean): boolean {
  try {
    return look();
  } catch {
    return false;
  }
}
