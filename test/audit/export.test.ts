import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AuditLog } from '../../src/audit/auditLog.ts';
import { type Checkpoint, openCheckpoint } from '../../src/audit/checkpoint.ts';
import { parseVerifierKey, type VerifierKey } from '../../src/audit/signedNote.ts';
import { verifyExport, verifyProof } from '../../src/audit/verifyFile.ts';
import { newId } from '../../src/core/ids.ts';
import { liveSecrets } from '../../src/redaction/knownSecrets.ts';
import { useTestDatabase } from '../support/database.ts';
import { makeDataDir, openAuditLog, someEvent } from './support.ts';

const database = useTestDatabase();
const COUNT = 530;
let key: VerifierKey;

async function filledLog(): Promise<AuditLog> {
  const log = await openAuditLog(database.current);
  if ((await log.list({}, 1)).length === 0) {
    await log.recordMany(
      database.current.db,
      Array.from({ length: COUNT }, (_, at) => someEvent(at)),
    );
    await log.record(
      database.current.db,
      someEvent(1, { actor: { kind: 'anonymous', id: '=cmd|calc' }, details: { text: 'a "quoted"\nline, ü' } }),
    );
    await log.flush();
  }
  key = parseVerifierKey(await log.verifierKey());
  return log;
}

async function textOf(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}

/** The verdict on an export after somebody changed its lines. */
async function verdictOn(
  text: string,
  change: (lines: string[]) => string[] = (lines) => lines,
  kept: Checkpoint[] = [],
) {
  const path = join(makeDataDir(), 'export.jsonl');
  writeFileSync(
    path,
    change(text.split('\n').slice(0, -1))
      .map((line) => `${line}\n`)
      .join(''),
  );
  return await verifyExport(path, key, kept);
}

describe('a JSONL export', () => {
  it('verifies with nothing but the public key', async () => {
    const log = await filledLog();
    const text = await textOf(log.export('jsonl'));
    expect(await verdictOn(text)).toMatchObject({
      entries: COUNT + 1,
      signedSize: COUNT + 1,
      complete: true,
      finding: null,
    });
  });

  it('names the line that was changed, and how', async () => {
    const log = await filledLog();
    const text = await textOf(log.export('jsonl'));
    const kept = openCheckpoint((await log.checkpoints(1))[0]!.note, key)!;
    const edit = (at: number, from: string, to: string) => (lines: string[]) =>
      lines.with(at, lines[at]!.replace(from, to));
    const cases: [string, (lines: string[]) => string[], object][] = [
      ['a changed word', edit(14, 'success', 'failure'), { kind: 'edit', seq: 13 }],
      ['white space', edit(12, '"actor":', '"actor": '), { kind: 'edit', seq: 11 }],
      ['a changed hash', edit(12, '"leafHash":"', '"leafHash":"AA'), { kind: 'edit', seq: 11 }],
      ['a spoilt line', (lines) => lines.with(100, '{"seq":99}'), { kind: 'edit', seq: 99 }],
      ['a removed line', (lines) => lines.toSpliced(201, 1), { kind: 'deletion', seq: 200 }],
      ['a doubled line', (lines) => lines.toSpliced(201, 0, lines[200]!), { kind: 'insertion', seq: 200 }],
      ['two lines exchanged', (lines) => lines.with(5, lines[9]!).with(9, lines[5]!), { kind: 'reordering', seq: 4 }],
      ['the end cut off', (lines) => lines.slice(0, 400), { kind: 'truncation', seq: 399 }],
      [
        'cut off in a line',
        (lines) => [...lines.slice(0, 400), lines[400]!.slice(0, 50)],
        { kind: 'truncation', seq: 399 },
      ],
      ['no checkpoint', (lines) => lines.slice(0, -1), { kind: 'truncation', seq: COUNT + 1 }],
      ['entries left out before the checkpoint', (lines) => lines.toSpliced(500, 32), { kind: 'truncation', seq: 499 }],
      [
        'a forged checkpoint',
        edit(COUNT + 2, `\\n${COUNT + 1}\\n`, `\\n${COUNT}\\n`),
        { kind: 'edit', seq: COUNT + 1 },
      ],
    ];
    for (const [name, change, finding] of cases) {
      expect((await verdictOn(text, change)).finding, name).toMatchObject(finding);
      expect((await verdictOn(text, change, [kept])).finding, `${name}, with a kept checkpoint`).not.toBeNull();
    }
  });

  it('is told from an older one by a checkpoint that was kept', async () => {
    const log = await filledLog();
    const older = await textOf(log.export('jsonl'));
    await log.record(database.current.db, someEvent(7));
    await log.flush();
    const kept = openCheckpoint((await log.checkpoints(1))[0]!.note, key)!;
    expect((await verdictOn(older)).finding).toBeNull();
    expect((await verdictOn(older, undefined, [kept])).finding).toMatchObject({ kind: 'truncation', seq: COUNT + 1 });
  });

  it('of a choice of entries has a proof for each', async () => {
    const log = await filledLog();
    const text = await textOf(log.export('jsonl', { actor: 'usr_3', integrationId: 'int_1' }));
    const lines = text.split('\n').slice(1, -2);
    expect(lines.length).toBeGreaterThan(10);
    for (const line of lines)
      expect(JSON.parse(line).event).toMatchObject({ actor: { id: 'usr_3' }, integrationId: 'int_1' });
    expect(await verdictOn(text)).toMatchObject({ entries: lines.length, complete: false, finding: null });
    const changed = await verdictOn(text, (all) => all.with(3, all[3]!.replace('usr_3', 'usr_4')));
    expect(changed.finding).toMatchObject({ kind: 'edit', seq: JSON.parse(lines[2]!).seq });
    expect((await verdictOn(text, (all) => all.with(3, all[4]!).with(4, all[3]!))).finding).toMatchObject({
      kind: 'reordering',
    });
    await expect(verdictOn(text, (all) => all.slice(0, -1))).rejects.toMatchObject({ code: 'INVALID_AUDIT_FILE' });
  });

  it('is refused when it is something else', async () => {
    await filledLog();
    await expect(verdictOn('{"a":1}\n')).rejects.toMatchObject({ code: 'INVALID_AUDIT_FILE' });
    await expect(verifyExport('/nowhere/at/all', key, [])).rejects.toMatchObject({ code: 'INVALID_AUDIT_FILE' });
  });
});

describe('a proof', () => {
  it('shows that an entry is in the signed log, and nothing else', async () => {
    const log = await filledLog();
    for (const reference of ['0', '255', '256', '511', '512', String(COUNT)]) {
      const proof = await log.prove(reference);
      expect(verifyProof(JSON.stringify(proof), key)).toMatchObject({ valid: true, seq: Number(reference) });
      const other = { ...proof, event: proof.event.replace('aud_', 'aud-') };
      expect(verifyProof(JSON.stringify(other), key).valid).toBe(false);
      expect(verifyProof(JSON.stringify({ ...proof, seq: proof.seq + 1 }), key).valid).toBe(false);
    }
    const [entry] = await log.list({ actor: '=cmd|calc' }, 1);
    expect((await log.prove(entry!.id)).seq).toBe(entry!.seq);
    const proof = await log.prove('3');
    const unsigned = { ...proof, checkpoint: proof.checkpoint.replace(/\n(\d+)\n/, '\n9$1\n') };
    expect(() => verifyProof(JSON.stringify(unsigned), key)).toThrow(/not signed/);
    expect(() => verifyProof('{}', key)).toThrow(/no proof/);
    await expect(log.prove('aud_nothing')).rejects.toMatchObject({ code: 'AUDIT_ENTRY_NOT_FOUND' });
  });

  it('is there at once for what was recorded just now', async () => {
    const log = await filledLog();
    await log.record(database.current.db, someEvent(9));
    const { rows } = await database.current.pool.query<{ id: string }>('select id from audit_pending');
    expect(verifyProof(JSON.stringify(await log.prove(rows[0]!.id)), key).valid).toBe(true);
  });
});

it('names actions, actors and targets, whatever somebody has made a credential', async () => {
  const [userId, targetId] = [newId('user'), newId('integration')];
  for (const secret of ['integration.deleted', 'integration', userId, targetId, 'a hidden text'])
    liveSecrets.add(secret);
  onTestFinished(() => liveSecrets.clear());
  const log = await filledLog();
  await log.record(database.current.db, {
    ...someEvent(1),
    action: 'integration.deleted',
    actor: { kind: 'user', id: userId },
    target: { kind: 'integration', id: targetId },
    integrationId: targetId,
    details: { note: 'a hidden text' },
  });
  await log.flush();
  const lines = (await textOf(log.export('jsonl'))).trimEnd().split('\n');
  const found = lines.filter((line) => line.includes(targetId));
  expect(found).toHaveLength(1);
  expect(found[0]).toContain('integration.deleted');
  expect(found[0]).toContain(userId);
  expect(found[0]).toContain('[redacted]');
  expect(found[0]).not.toContain('a hidden text');
});

it('as CSV is safe to open in a spreadsheet', async () => {
  const log = await filledLog();
  const text = await textOf(log.export('csv', { actor: '=cmd|calc' }));
  const [head, row] = text.split('\r\n');
  expect(head).toMatch(/^seq,id,time,actor_kind,actor_id,/);
  expect(row).toContain(`,anonymous,'=cmd|calc,,`);
  expect(row).toContain('"{""text"":""a \\""quoted\\""\\nline, ü""}"');
});

it('as OCSF has the classes of authentication and API activity, with what they require', async () => {
  const log = await filledLog();
  await log.recordMany(database.current.db, [
    someEvent(1, { action: 'login.failed', outcome: 'failure' }),
    someEvent(2, { action: 'session.revoked', actor: { kind: 'apiKey', id: 'key_1', userId: 'usr_1' } }),
    someEvent(3, { action: 'apiKey.created', origin: undefined }),
    someEvent(4, { action: 'integration.deleted', outcome: 'denied' }),
    someEvent(5, { action: 'something.odd' }),
  ]);
  const lines = (await textOf(log.export('ocsf')))
    .trimEnd()
    .split('\n')
    .slice(-5)
    .map((line) => JSON.parse(line));
  expect(lines.map((one) => [one.class_uid, one.type_uid, one.status_id])).toEqual([
    [3002, 300201, 2],
    [3002, 300202, 1],
    [6003, 600301, 1],
    [6003, 600304, 2],
    [6003, 600399, 1],
  ]);
  for (const one of lines) {
    for (const name of [
      'activity_id',
      'category_uid',
      'class_uid',
      'type_uid',
      'time',
      'severity_id',
      'metadata',
      'actor',
    ])
      expect(one, name).toHaveProperty(name);
    expect(one.type_uid).toBe(one.class_uid * 100 + one.activity_id);
    if (one.class_uid === 3002)
      expect(one).toMatchObject({ user: { uid: expect.any(String) }, service: expect.any(Object) });
    else expect(one).toMatchObject({ api: { operation: expect.any(String) }, src_endpoint: expect.any(Object) });
  }
  expect(lines[1].actor.user.uid).toBe('usr_1');
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

it.runIf(hasOpenssl)('the checkpoint is a C2SP signed note that other tools can check: OpenSSL does', async () => {
  const log = await filledLog();
  const { note } = (await log.checkpoints(1))[0]!;
  const folder = makeDataDir();
  const end = note.lastIndexOf('\n\n');
  writeFileSync(join(folder, 'text'), note.slice(0, end + 1));
  const signature = Buffer.from(note.slice(end).trim().split(' ')[2]!, 'base64');
  writeFileSync(join(folder, 'signature'), signature.subarray(4));
  writeFileSync(join(folder, 'key.pem'), key.publicKey.export({ type: 'spki', format: 'pem' }));
  const check = ['pkeyutl', '-verify', '-pubin', '-inkey', 'key.pem', '-rawin', '-in', 'text', '-sigfile', 'signature'];
  expect(execFileSync('openssl', check, { cwd: folder }).toString()).toContain('Verified Successfully');
  expect(readFileSync(join(folder, 'text'), 'utf8')).toMatch(/^audit\.example\.com\/test\n\d+\n[A-Za-z0-9+/]{43}=\n$/);
});
