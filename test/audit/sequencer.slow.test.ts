import { sql } from 'kysely';
import { beforeEach, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/audit/checkpoint.ts';
import { CompactTree, leafHash } from '../../src/audit/merkleTree.ts';
import { parseVerifierKey } from '../../src/audit/signedNote.ts';
import { rotateInstallationKey } from '../../src/credentials/rotation.ts';
import { openInstallation } from '../credentials/installation.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startProgram } from '../support/processes.ts';
import { asOwner, emptyAuditLog, openAuditLog, SECRET_OF_TESTS, someEvent } from './support.ts';

const database = useTestDatabase();

beforeEach(() => emptyAuditLog(database.current));

const entries = () => database.current.db.selectFrom('audit_entries').selectAll().orderBy('seq').execute();
const tree = () => database.current.db.selectFrom('audit_tree').selectAll().executeTakeFirstOrThrow();
const notes = () => database.current.db.selectFrom('audit_checkpoints').selectAll().orderBy('tree_size').execute();

async function expectWholeTree(count: number): Promise<void> {
  const rows = await entries();
  expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: count }, (_, index) => index));
  const wanted = CompactTree.empty();
  for (const { event, leaf_hash } of rows) {
    expect(leafHash(event)).toEqual(leaf_hash);
    wanted.append(leaf_hash);
  }
  const stored = await tree();
  expect(stored.size).toBe(count);
  expect(CompactTree.restore(stored.size, stored.frontier).root()).toEqual(wanted.root());
}

describe('recording', () => {
  it('belongs to the transaction: what is rolled back was never there', async () => {
    const log = await openAuditLog(database.current);
    const failed = database.current.transaction(async (tx) => {
      await log.record(tx, someEvent(1));
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    await database.current.transaction((tx) => log.record(tx, someEvent(2)));
    await log.flush();
    expect((await log.list({}, 10)).map(({ details }) => details)).toEqual([{ number: 2 }]);
  });

  it('waits for nobody: an open transaction holds up neither other writers nor the sequencer', async () => {
    const log = await openAuditLog(database.current);
    const done = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const open = database.current.transaction(async (tx) => {
      await log.record(tx, someEvent(1));
      begun.resolve();
      await done.promise;
    });
    await begun.promise;
    await log.record(database.current.db, someEvent(2));
    await log.flush();
    expect(await entries()).toHaveLength(1);
    done.resolve();
    await open;
    await log.flush();
    await expectWholeTree(2);
  });

  it('keeps the canonical bytes, with columns to search by', async () => {
    const log = await openAuditLog(database.current);
    await log.record(database.current.db, someEvent(4, { before: { b: 1, a: [2] }, after: { ü: null } }));
    await log.flush();
    const [row] = await entries();
    const text = row!.event.toString();
    expect(text).toMatch(
      /^\{"action":"credential.released","actor":\{"id":"usr_4","kind":"user"\},"after":\{"ü":null\},"before":\{"a":\[2\],"b":1\}/,
    );
    expect(row).toMatchObject({
      actor_kind: 'user',
      actor_id: 'usr_4',
      action: 'credential.released',
      outcome: 'success',
    });
    expect(row).toMatchObject({ target_kind: 'integration', target_id: 'int_4', integration_id: 'int_4' });
    const event = JSON.parse(text);
    expect(row!.id).toBe(event.id);
    expect(row!.occurred_at.toISOString()).toBe(event.time);
  });

  it('takes out secrets and cuts what is too large, with a mark, whatever it is given', async () => {
    const log = await openAuditLog(database.current);
    let deep: object = {};
    for (let level = 0; level < 5_000; level++) deep = { deep };
    await log.recordMany(database.current.db, [
      someEvent(1, {
        before: { password: 'hunter2hunter2', tokenUrl: 'https://example.com/t', nested: [{ api_key: 'k-123' }] },
        details: { note: `with ${SECRET_OF_TESTS} in it`, header: 'Bearer abcdefghijklmnop', enabled: true },
      }),
      someEvent(2, { details: { text: 'x'.repeat(3_000), list: Array.from({ length: 500 }, (_, index) => index) } }),
      someEvent(3, {
        details: Object.fromEntries(Array.from({ length: 2_000 }, (_, at) => [`m${at}`, 'y'.repeat(500)])),
      }),
      someEvent(4, {
        details: { deep: deep as never },
        action: 'a'.repeat(5_000),
        actor: { kind: 'anonymous', id: 'nul \0 lone \ud800' },
      }),
    ]);
    await log.flush();
    const [first, second, third, fourth] = (await log.list({}, 10)).reverse();
    expect(first!.before).toEqual({
      password: '[redacted]',
      tokenUrl: 'https://example.com/t',
      nested: [{ api_key: '[redacted]' }],
    });
    expect(first!.details).toEqual({ note: 'with [redacted] in it', header: '[redacted]', enabled: true });
    expect(second!.details).toMatchObject({ text: `${'x'.repeat(2_000)}…[cut: 3000 characters]` });
    expect((second!.details!.list as unknown[]).at(-1)).toBe('[cut: 500 entries]');
    expect(third!.details).toMatchObject({ '[cut]': '2000 members' });
    expect(JSON.stringify(third).length).toBeLessThan(20_000);
    expect(fourth!.action).toMatch(/\[cut: 5000 characters\]$/);
    expect(fourth!.actor.id).toBe('nul \ufffd lone \ufffd');
  });
});

describe('the sequencer', () => {
  it('gives every event one place, also when several work at once', async () => {
    const logs = await Promise.all([1, 2, 3].map(() => openAuditLog(database.current, { batchRows: 40 })));
    for (const log of logs) log.start();
    await Promise.all(
      Array.from({ length: 60 }, async (_, writer) => {
        for (let number = 0; number < 10; number++)
          await logs[writer % 3]!.record(database.current.db, someEvent(writer * 10 + number));
      }),
    );
    await eventually('all entries', async () => (await tree()).size === 600);
    await expectWholeTree(600);
    const numbers = (await entries()).map(({ event }) => JSON.parse(event.toString()).details.number as number);
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 600 }, (_, index) => index));
  });

  it('loses and doubles nothing when it is killed, again and again', async () => {
    const log = await openAuditLog(database.current);
    const { dataDir } = log;
    for (let round = 0; round < 6; round++) {
      const worker = startProgram('audit/fixtures/sequencerProcess.ts', [database.url, dataDir]);
      await worker.line('started');
      for (let batch = 0; batch < 10; batch++) {
        const events = Array.from({ length: 100 }, (_, at) => someEvent(round * 1_000 + batch * 100 + at));
        await log.recordMany(database.current.db, events);
      }
      await new Promise((resolve) => setTimeout(resolve, 20 + 40 * round));
      await worker.kill();
    }
    await log.flush();
    await expectWholeTree(6_000);
    const verdict = await log.verify();
    expect(verdict).toMatchObject({ entries: 6_000, signedSize: 6_000, finding: null });
  });

  it('signs a checkpoint after so many entries, and after so long', async () => {
    const log = await openAuditLog(database.current, { checkpointRows: 100, checkpointMs: 3_000, batchRows: 30 });
    await log.recordMany(
      database.current.db,
      Array.from({ length: 130 }, (_, at) => someEvent(at)),
    );
    log.start();
    await eventually('both checkpoints', async () => (await notes()).length === 2);
    const [first, second] = await notes();
    expect([first!.tree_size, second!.tree_size]).toEqual([120, 130]);
    const key = parseVerifierKey(await log.verifierKey());
    expect(key.name).toBe('audit.example.com/test');
    const opened = openCheckpoint(second!.note, key);
    expect(opened).toMatchObject({ size: 130, origin: 'audit.example.com/test' });
    const { size, frontier } = await tree();
    expect(opened!.root).toEqual(CompactTree.restore(size, frontier).root());
    expect(await tree()).toMatchObject({ signed_size: 130, unsigned_since: null });
  });

  it('is not stopped by what somebody puts into its table', async () => {
    const log = await openAuditLog(database.current);
    await log.record(database.current.db, someEvent(1));
    await log.flush();
    const [known] = await entries();
    const forged = [
      'not json',
      '[]',
      '{"id":5,"actor":7,"time":"\\u0000"}',
      '{"action":"a\\u0000b\\ud800","time":"x"}',
    ];
    for (const [at, text] of forged.entries())
      await sql`insert into audit_pending values (${`aud_${at}`}, ${Buffer.from(text)})`.execute(database.current.db);
    await sql`insert into audit_pending values (${known!.id}, ${known!.event})`.execute(database.current.db);
    await log.record(database.current.db, someEvent(2));
    await log.flush();
    await expectWholeTree(7);
    expect(await log.list({}, 10)).toHaveLength(7);
    expect((await log.verify()).finding).toBeNull();
    for (const format of ['jsonl', 'csv', 'ocsf'] as const)
      for await (const text of log.export(format)) expect(text.length).toBeGreaterThan(0);
  });

  it('signs on with the same key after the installation key was rotated', async () => {
    const { keys } = await openInstallation(database.current);
    const log = await openAuditLog(database.current);
    await log.record(database.current.db, someEvent(1));
    await log.flush();
    const key = await log.verifierKey();
    const before = await database.current.db.selectFrom('audit_signing_keys').selectAll().executeTakeFirstOrThrow();
    expect(await rotateInstallationKey(database.current, keys)).toMatchObject({ rewrapped: 1, retiringKeyIds: [] });
    const after = await database.current.db.selectFrom('audit_signing_keys').selectAll().executeTakeFirstOrThrow();
    expect(after.key_id).not.toBe(before.key_id);
    const other = await openAuditLog(database.current);
    await other.record(database.current.db, someEvent(2));
    await other.flush();
    expect(await other.verifierKey()).toBe(key);
    expect(await other.verify()).toMatchObject({ entries: 2, signedSize: 2, finding: null });
  });
});

describe('the tables', () => {
  const change = (statement: string) => database.current.pool.query(statement);

  it('refuse every change, truncation included, also to a session that calls itself a replica', async () => {
    const log = await openAuditLog(database.current);
    await log.record(database.current.db, someEvent(1));
    await log.flush();
    await log.record(database.current.db, someEvent(2));
    const statements = [
      `update audit_entries set action = 'x'`,
      'delete from audit_entries',
      'truncate audit_entries',
      `update audit_checkpoints set note = 'x'`,
      'delete from audit_checkpoints',
      'truncate audit_checkpoints',
      `update audit_nodes set hash = ''`,
      'delete from audit_nodes',
      'truncate audit_nodes',
      `update audit_pending set event = ''`,
      'truncate audit_pending',
    ];
    for (const statement of statements) {
      await expect(change(statement), statement).rejects.toThrow(/append-only/);
      const asReplica = database.current.transaction(async (tx) => {
        await sql`set local session_replication_role = replica`.execute(tx);
        await sql.raw(statement).execute(tx);
      });
      await expect(asReplica, statement).rejects.toThrow(/append-only/);
    }
    await expectWholeTree(1);
  });

  it('say so when the row of the tree is gone, and keep what is recorded', async () => {
    const log = await openAuditLog(database.current);
    await asOwner(database.current, async (run) => void (await run('delete from audit_tree')));
    await log.record(database.current.db, someEvent(1));
    await expect(log.flush()).rejects.toMatchObject({ code: 'AUDIT_LOG_TAMPERED' });
    expect(await database.current.db.selectFrom('audit_pending').selectAll().execute()).toHaveLength(1);
  });
});
