import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditLog } from '../../src/audit/auditLog.ts';
import { splitNotes } from '../../src/audit/checkpoint.ts';
import { searchColumns } from '../../src/audit/event.ts';
import { KeptFiles } from '../../src/audit/keptFiles.ts';
import { CompactTree, leafHash } from '../../src/audit/merkleTree.ts';
import { parseVerifierKey } from '../../src/audit/signedNote.ts';
import { verifyDatabase } from '../../src/audit/verifyDatabase.ts';
import { useTestDatabase } from '../support/database.ts';
import { asOwner, emptyAuditLog, openAuditLog, someEvent } from './support.ts';

const database = useTestDatabase();
const COUNT = 700;

let log: AuditLog & { dataDir: string };
let key: ReturnType<typeof parseVerifierKey>;

/** A log with two checkpoints, of 400 and of 700 entries, both kept outside with the leaf hashes. */
beforeEach(async () => {
  await emptyAuditLog(database.current);
  log = await openAuditLog(database.current);
  for (const [from, to] of [
    [0, 400],
    [400, COUNT],
  ] as const) {
    const events = Array.from({ length: to - from }, (_, at) => someEvent(from + at));
    await log.recordMany(database.current.db, events);
    await log.flush();
    await new KeptFiles(log.dataDir).catchUp(database.current.db, to);
  }
  key = parseVerifierKey(await log.verifierKey());
  expect(await log.verify()).toMatchObject({
    entries: COUNT,
    signedSize: COUNT,
    checkpoints: 2,
    exact: true,
    finding: null,
  });
});

const keptNotes = () => splitNotes(readFileSync(join(log.dataDir, 'audit', 'checkpoints.log'), 'utf8'));

/** As on another machine: with the kept checkpoints and the public key, without the kept leaf hashes. */
const verifyElsewhere = async () =>
  (await verifyDatabase(database.current.db, { key, keptNotes: keptNotes(), keptLeavesPath: null })).finding;
/** With nothing but what the database says, its own checkpoints taken away. */
async function verifyAlone() {
  await asOwner(database.current, async (run) => void (await run('truncate audit_checkpoints')));
  return (await verifyDatabase(database.current.db, { key, keptNotes: [], keptLeavesPath: null })).finding;
}
const verifyHere = async () => (await log.verify({ key })).finding;

type Run = Parameters<Parameters<typeof asOwner>[1]>[0];
const tamper = (act: (run: Run) => Promise<unknown>) => asOwner(database.current, async (run) => void (await act(run)));

const REPLACED = `convert_to(replace(convert_from(event, 'utf8'), '"outcome":"denied"', '"outcome":"success"'), 'utf8')`;
/** Moves everything from `from` on by `by` places, with room in between for the unique numbers. */
const shift = (from: number, by: number) =>
  `update audit_entries set seq = seq + 1000000 where seq >= ${from};
   update audit_entries set seq = seq - 1000000 + ${by} where seq >= 1000000`;
const exchange = (one: number, other: number) =>
  `update audit_entries set seq = -1 where seq = ${one};
   update audit_entries set seq = ${one} where seq = ${other};
   update audit_entries set seq = ${other} where seq = -1`;
const COLUMNS =
  'event, leaf_hash, occurred_at, actor_kind, actor_id, action, outcome, target_kind, target_id, integration_id';
/** A forged entry: a copy of another one under another id. */
const forge = (seq: number) =>
  `insert into audit_entries (seq, id, ${COLUMNS})
   select ${seq}, 'aud_forged', convert_to(replace(convert_from(event, 'utf8'), 'usr_3', 'usr_9'), 'utf8'),
     sha256('\\x00'::bytea || convert_to(replace(convert_from(event, 'utf8'), 'usr_3', 'usr_9'), 'utf8')),
     occurred_at, actor_kind, 'usr_9', action, outcome, target_kind, target_id, integration_id
   from audit_entries where convert_from(event, 'utf8') like '%usr_3%' order by seq limit 1;
   update audit_entries set id = convert_from(event, 'utf8')::jsonb ->> 'id' where seq = ${seq}`;

/** Makes everything in the database fit again: leaf hashes, columns, hashes of subtrees, the tree. */
async function coverTracks(run: Run): Promise<void> {
  const { rows } = (await run('select seq, event from audit_entries order by seq')) as {
    rows: { seq: number; event: Buffer }[];
  };
  const tree = CompactTree.empty();
  await run('truncate audit_nodes');
  for (const { seq, event } of rows) {
    const hash = leafHash(event);
    const { id, action, outcome, actor_id } = searchColumns(event);
    await run(
      'update audit_entries set leaf_hash = $2, id = $3, action = $4, outcome = $5, actor_id = $6 where seq = $1',
      [seq, hash, id, action, outcome, actor_id],
    );
    const nodes: [number, number, Buffer][] = [];
    tree.append(hash, (level, index, node) => void nodes.push([level, index, node]));
    for (const [level, index, node] of nodes)
      if (level % 8 === 0) await run('insert into audit_nodes values ($1, $2, $3)', [level, index, node]);
  }
  await run('update audit_tree set size = $1, frontier = $2', [tree.size, tree.frontier]);
}

/** What somebody with every right does, and what has to be found: everywhere, and where only the database is at hand. */
const NAIVE: [string, string, { kind: string; seq: number }, object?, object?][] = [
  ['an edited event', `update audit_entries set event = ${REPLACED} where seq = 11`, { kind: 'edit', seq: 11 }],
  ['an edited column', `update audit_entries set outcome = 'success' where seq = 22`, { kind: 'edit', seq: 22 }],
  [
    'an edited time',
    `update audit_entries set occurred_at = occurred_at - interval '1 day' where seq = 22`,
    { kind: 'edit', seq: 22 },
  ],
  [
    'an edited leaf hash',
    `update audit_entries set leaf_hash = sha256('x') where seq = 600`,
    { kind: 'edit', seq: 600 },
  ],
  [
    'an edited event with its leaf hash',
    `update audit_entries set event = ${REPLACED}, leaf_hash = sha256('\\x00'::bytea || ${REPLACED}), outcome = 'success' where seq = 33`,
    { kind: 'edit', seq: 33 },
    { kind: 'edit', seq: 0, lastSeq: 255 },
  ],
  ['a deleted entry', 'delete from audit_entries where seq = 123', { kind: 'deletion', seq: 123 }],
  [
    'several deleted entries',
    'delete from audit_entries where seq between 300 and 310',
    { kind: 'deletion', seq: 300 },
  ],
  [
    'a deleted entry whose place was closed',
    `delete from audit_entries where seq = 123; ${shift(124, -1)}`,
    { kind: 'deletion', seq: 123 },
    { kind: 'deletion', seq: 0, lastSeq: 255 },
  ],
  [
    'an inserted entry',
    `${shift(50, 1)}; ${forge(50)}`,
    { kind: 'insertion', seq: 50 },
    { kind: 'insertion', seq: 0, lastSeq: 255 },
  ],
  ['an appended entry', forge(COUNT), { kind: 'insertion', seq: COUNT }],
  ['two exchanged entries', exchange(10, 200), { kind: 'reordering', seq: 10 }],
  ['two exchanged entries at the end', exchange(690, 691), { kind: 'reordering', seq: 690 }],
  [
    'two entries that exchanged their events',
    `update audit_entries one set event = other.event from audit_entries other
     where (one.seq, other.seq) in ((5, 9), (9, 5))`,
    { kind: 'reordering', seq: 5 },
  ],
  ['entries cut off at the end', 'delete from audit_entries where seq >= 650', { kind: 'truncation', seq: 650 }],
  ['a log emptied by TRUNCATE', 'truncate audit_entries', { kind: 'truncation', seq: 0 }],
];

describe('somebody with every right on the database', () => {
  it.each(NAIVE)('is found out: %s', async (_name, statements, exact, alone) => {
    await tamper((run) => run(statements));
    expect(await verifyHere()).toMatchObject(exact);
    expect(await verifyElsewhere()).toMatchObject(alone ?? exact);
    expect(await verifyAlone()).toMatchObject(alone ?? exact);
  });

  // Where everything in the database fits together again, only what was kept outside tells.
  const REWRITES: [string, string, { kind: string; seq: number }, object][] = [
    [
      'edit',
      `update audit_entries set event = ${REPLACED} where seq = 33`,
      { kind: 'edit', seq: 33 },
      { kind: 'rewrite', seq: 0, lastSeq: 399 },
    ],
    [
      'edit after the first checkpoint',
      `update audit_entries set event = ${REPLACED} where seq = 451`,
      { kind: 'edit', seq: 451 },
      { kind: 'rewrite', seq: 400, lastSeq: 699 },
    ],
    [
      'deletion',
      `delete from audit_entries where seq = 123; ${shift(124, -1)}`,
      { kind: 'deletion', seq: 123 },
      { kind: 'deletion', seq: 0, lastSeq: 399 },
    ],
    [
      'insertion',
      `${shift(450, 1)}; ${forge(450)}`,
      { kind: 'insertion', seq: 450 },
      { kind: 'rewrite', seq: 400, lastSeq: 699 },
    ],
    ['reordering', exchange(10, 500), { kind: 'reordering', seq: 10 }, { kind: 'rewrite', seq: 0, lastSeq: 399 }],
    [
      'truncation',
      'delete from audit_entries where seq >= 650',
      { kind: 'truncation', seq: 650 },
      { kind: 'truncation', seq: 650 },
    ],
  ];

  it.each(REWRITES)(
    'is found out by the kept checkpoint after a rewrite that fits: %s',
    async (_name, statements, exact, elsewhere) => {
      await tamper(async (run) => {
        await run(statements);
        await coverTracks(run);
        // The signed checkpoints would contradict.
        await run('truncate audit_checkpoints');
      });
      expect(await verifyHere()).toMatchObject(exact);
      expect(await verifyElsewhere()).toMatchObject(elsewhere);
    },
  );

  it('is found out by what is signed later, too', async () => {
    await tamper(async (run) => {
      await run(`delete from audit_entries where seq >= 650`);
      await coverTracks(run);
      await run('delete from audit_checkpoints where tree_size > 650; update audit_tree set signed_size = 400');
    });
    const more = Array.from({ length: 100 }, (_, at) => someEvent(at));
    await log.recordMany(database.current.db, more);
    await log.flush();
    expect(await verifyHere()).toMatchObject({ kind: 'edit', seq: 650 });
    expect(await verifyElsewhere()).toMatchObject({ kind: 'rewrite', seq: 400, lastSeq: 699 });
  });

  it('cannot change the checkpoints either', async () => {
    await tamper((run) => run(`update audit_checkpoints set root_hash = sha256('x') where tree_size = 400`));
    expect(await verifyElsewhere()).toMatchObject({ kind: 'edit', seq: 399 });
    await tamper((run) => run('delete from audit_checkpoints where tree_size = 400'));
    expect(await verifyElsewhere()).toMatchObject({ kind: 'deletion', seq: 399 });
  });

  it('cannot exchange the key under the nose of who kept it', async () => {
    await tamper(async (run) => {
      await run(`update audit_entries set event = ${REPLACED} where seq = 33`);
      await coverTracks(run);
      await run('truncate audit_checkpoints; truncate audit_signing_keys; update audit_tree set signed_size = 0');
    });
    // A new key is made, and signs the changed log.
    const other = await openAuditLog(database.current);
    await other.flush();
    expect((await other.verify()).finding).toBeNull();
    expect((await log.verify()).finding).toMatchObject({ kind: 'rewrite', detail: expect.stringContaining('key') });
    expect(await verifyElsewhere()).toMatchObject({ kind: 'rewrite', seq: 0, lastSeq: 399 });
  });

  it('gets no proof for a changed entry', async () => {
    await tamper((run) => run(`update audit_entries set event = ${REPLACED} where seq = 33`));
    await expect(log.prove('33')).rejects.toMatchObject({ code: 'AUDIT_LOG_TAMPERED' });
    await tamper((run) => run('delete from audit_entries where seq = 34'));
    await expect(log.prove('35')).rejects.toMatchObject({ code: 'AUDIT_LOG_TAMPERED' });
    await expect(log.prove('34')).rejects.toMatchObject({ code: 'AUDIT_ENTRY_NOT_FOUND' });
  });
});
