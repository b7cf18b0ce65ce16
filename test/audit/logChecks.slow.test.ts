import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditLog } from '../../src/audit/auditLog.ts';
import { searchColumns } from '../../src/audit/event.ts';
import { KeptFiles } from '../../src/audit/keptFiles.ts';
import { LogChecks } from '../../src/audit/logChecks.ts';
import { CompactTree, leafHash } from '../../src/audit/merkleTree.ts';
import { parseVerifierKey } from '../../src/audit/signedNote.ts';
import type { Log } from '../../src/core/log.ts';
import { silentLog } from '../../src/core/log.ts';
import { AlertRules } from '../../src/monitoring/alerts/alertRules.ts';
import { DEFAULT_RULES } from '../../src/monitoring/alerts/defaultRules.ts';
import { AlertEvaluator } from '../../src/monitoring/alerts/evaluator.ts';
import { observeAuditLog } from '../../src/monitoring/health/observeSecurity.ts';
import { tableMetricSource } from '../../src/monitoring/metrics/tableMetricSource.ts';
import { ManualClock } from '../rateLimits/manualClock.ts';
import { unheardAudit } from '../support/audit.ts';
import { useTestDatabase } from '../support/database.ts';
import { asOwner, emptyAuditLog, openAuditLog, someEvent } from './support.ts';

const database = useTestDatabase();
const HOUR = 3_600_000;

let log: AuditLog & { dataDir: string };
let clock: ManualClock;
const said: unknown[] = [];
const errors: Log = { ...silentLog, error: (message, fields) => void said.push({ message, ...fields }) };

async function add(count: number, from = 0): Promise<void> {
  await log.recordMany(
    database.current.db,
    Array.from({ length: count }, (_, at) => someEvent(from + at)),
  );
  await log.flush();
  await new KeptFiles(log.dataDir).catchUp(database.current.db, from + count);
}

const checks = (maxEntries?: number) =>
  new LogChecks({
    database: database.current,
    clock,
    log: errors,
    dataDir: log.dataDir,
    verifierKey: async () => parseVerifierKey(await log.verifierKey()),
    maxEntries,
  });

async function state() {
  const { rows } = await database.current.pool.query('select * from audit_checks order by pass desc');
  return Object.fromEntries(
    rows.map(({ pass, size, finished_at, finding }) => [
      pass,
      { size, finished: finished_at !== null, finding: finding === null ? null : `${finding.kind} ${finding.seq}` },
    ]),
  ) as Record<'new' | 'all', { size: number; finished: boolean; finding: string | null }>;
}

const tamper = (statement: string) =>
  asOwner(database.current, async (run) => {
    await run(statement);
  });
const REPLACED = `convert_to(replace(convert_from(event, 'utf8'), '"outcome":"success"', '"outcome":"denied"'), 'utf8')`;

beforeEach(async () => {
  await emptyAuditLog(database.current);
  log = await openAuditLog(database.current);
  clock = new ManualClock();
  said.length = 0;
});

describe('a log that is as it was', () => {
  it('is verified as it grows, and again from the beginning after an hour', async () => {
    await add(300);
    await checks().run();
    expect(await state()).toEqual({
      new: { size: 300, finished: true, finding: null },
      all: { size: 300, finished: true, finding: null },
    });
    await add(200, 300);
    await clock.advance(HOUR / 2);
    await checks().run();
    expect((await state()).new.size).toBe(500);
    expect((await state()).all.size).toBe(300);
    await clock.advance(HOUR / 2);
    await checks().run();
    expect((await state()).all).toEqual({ size: 500, finished: true, finding: null });
    expect(said).toEqual([]);
  });

  it('is verified piece by piece, however long it is', async () => {
    await add(300);
    await add(270, 300);
    const sizes = [];
    for (let run = 0; run < 7; run++) {
      await checks(100).run();
      const { new: newest, all } = await state();
      sizes.push([newest.size, all.size, all.finished]);
    }
    expect(sizes).toEqual([
      [100, 100, false],
      [200, 200, false],
      [300, 300, false],
      [400, 400, false],
      [500, 500, false],
      [570, 570, true],
      [570, 570, true],
    ]);
    expect((await state()).all.finding).toBeNull();
  });

  it('is verified to its end, also when that takes longer than an hour', async () => {
    await add(300);
    const reached = [];
    for (let run = 0; run < 4; run++) {
      await checks(100).run();
      reached.push((await state()).all.size);
      await clock.advance(HOUR);
    }
    expect(reached).toEqual([100, 200, 300, 100]);
  });

  it('of two processes at once only one counts', async () => {
    await add(50);
    await Promise.all([checks(20).run(), checks(20).run(), checks(20).run()]);
    expect((await state()).new.size).toBeLessThanOrEqual(40);
    for (let run = 0; run < 3; run++) await checks(20).run();
    expect(await state()).toMatchObject({ new: { size: 50, finding: null }, all: { size: 50, finding: null } });
  });
});

describe('what is found', () => {
  it.each([
    ['an edited event', `update audit_entries set event = ${REPLACED} where seq = 7`, 'edit 7'],
    ['an edited column', `update audit_entries set actor_id = 'usr_x' where seq = 250`, 'edit 250'],
    ['a deleted entry', 'delete from audit_entries where seq = 123', 'deletion 123'],
    [
      'entries that exchanged their events',
      `update audit_entries one set event = other.event from audit_entries other where (one.seq, other.seq) in ((5, 9), (9, 5))`,
      'reordering 5',
    ],
    ['a checkpoint that nobody signed', `update audit_checkpoints set note = replace(note, '300', '299')`, 'edit 299'],
  ])('%s, in what was verified before, within the hour', async (_what, statement, expected) => {
    await add(300);
    for (let run = 0; run < 4; run++) await checks(100).run();
    await tamper(statement);
    await clock.advance(HOUR);
    for (let run = 0; run < 4; run++) await checks(100).run();
    expect((await state()).all.finding).toBe(expected);
    expect(said).toMatchObject([{ message: expect.stringContaining('audit log was changed') }]);
  });

  it('an edited entry among the new ones, at the next run', async () => {
    await add(100);
    await checks().run();
    await add(100, 100);
    await tamper(`update audit_entries set event = ${REPLACED} where seq = 150`);
    await checks().run();
    expect(await state()).toMatchObject({ new: { size: 100, finding: 'edit 150' }, all: { finding: null } });
  });

  it('entries cut off after they were verified, though the tree was made to fit', async () => {
    await add(64);
    const { rows } = await database.current.pool.query('select frontier from audit_tree');
    await add(36, 64);
    await checks().run();
    await asOwner(database.current, async (run) => {
      await run('delete from audit_entries where seq >= 64; delete from audit_checkpoints where tree_size > 64');
      await run('update audit_tree set size = 64, signed_size = 64, frontier = $1', [rows[0].frontier]);
    });
    await checks().run();
    expect((await state()).new.finding).toBe('truncation 64');
  });

  it('a rewrite in which all of the database fits together, by the checkpoints that were kept', async () => {
    await add(100);
    await asOwner(database.current, async (run) => {
      await run(`update audit_entries set event = ${REPLACED} where seq = 40`);
      const { rows } = (await run('select seq, event from audit_entries order by seq')) as {
        rows: { seq: number; event: Buffer }[];
      };
      const tree = CompactTree.empty();
      for (const { seq, event } of rows) {
        tree.append(leafHash(event));
        const { outcome } = searchColumns(event);
        await run('update audit_entries set leaf_hash = $2, outcome = $3 where seq = $1', [
          seq,
          leafHash(event),
          outcome,
        ]);
      }
      await run('truncate audit_checkpoints');
      await run('update audit_tree set frontier = $1', [tree.frontier]);
    });
    await checks().run();
    expect((await state()).new.finding).toBeNull();
    expect((await state()).all.finding).toBe('rewrite 0');
  });

  it('somebody who changed how far the verification came', async () => {
    await add(100);
    await checks().run();
    await database.current.pool.query(`update audit_checks set frontier = '\\x00' where pass = 'new'`);
    await checks().run();
    expect((await state()).new.finding).toBe('rewrite 0');
  });

  it('stays found until all of the log verifies again', async () => {
    await add(100);
    const { rows } = await database.current.pool.query('select event from audit_entries where seq = 7');
    await tamper(`update audit_entries set event = ${REPLACED} where seq = 7`);
    for (let run = 0; run < 2; run++) await checks(30).run();
    expect(await state()).toMatchObject({ new: { finding: 'edit 7' }, all: { finding: 'edit 7' } });
    await asOwner(database.current, async (run) => {
      await run('update audit_entries set event = $1 where seq = 7', [rows[0].event]);
    });
    await clock.advance(HOUR);
    await checks(30).run();
    expect((await state()).all.finding).toBe('edit 7');
    for (let run = 0; run < 3; run++) await checks(30).run();
    expect(await state()).toMatchObject({ new: { finding: null }, all: { finding: null, finished: true } });
    expect(said).toHaveLength(2);
  });
});

it('a row edited by SQL makes the default alert fire, and health fail, until it is as it was', async () => {
  const { current } = database;
  const rules = new AlertRules(current, unheardAudit);
  await rules.seed({ 'security.audit_tamper': DEFAULT_RULES['security.audit_tamper']! });
  const evaluator = new AlertEvaluator({
    database: current,
    source: tableMetricSource(current),
    clock,
    log: silentLog,
  });
  await evaluator.claimAll();
  const evaluate = async () => {
    await evaluator.evaluate(clock.now());
    const { rows } = await current.pool.query(
      `select rule_name || ': ' || from_state || '>' || to_state as change from alert_changes order by seq`,
    );
    return rows.map(({ change }) => change);
  };
  await add(50);
  await checks().run();
  await clock.advance(60_000);
  expect(await evaluate()).toEqual([]);
  expect((await observeAuditLog(current)).status).toBe('pass');

  const { rows } = await current.pool.query('select event from audit_entries where seq = 20');
  await tamper(`update audit_entries set event = ${REPLACED} where seq = 20`);
  await clock.advance(HOUR);
  await checks().run();
  await clock.advance(60_000);
  const fired = ['The audit log was changed: normal>firing'];
  expect(await evaluate()).toEqual(fired);
  expect(await observeAuditLog(current)).toMatchObject({ status: 'fail', output: expect.stringContaining('entry 20') });
  // Nobody verifies for long: that is no proof that it is right again.
  await clock.advance(3 * HOUR);
  expect(await evaluate()).toEqual(fired);

  await asOwner(current, async (run) => {
    await run('update audit_entries set event = $1 where seq = 20', [rows[0].event]);
  });
  await checks().run();
  await clock.advance(60_000);
  expect(await evaluate()).toEqual([...fired, 'The audit log was changed: firing>normal']);
  await evaluator.close();
});
