import { sql } from 'kysely';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Database } from '../store/database.ts';
import { AuditTamperedError } from './errors.ts';
import type { Finding } from './findings.ts';
import { readKeptNotes } from './keptFiles.ts';
import type { VerifierKey } from './signedNote.ts';
import { verifyDatabase } from './verifyDatabase.ts';

/** Entries verified in one go: about two seconds of work, so that a log of any size costs little at a time. */
const MAX_ENTRIES = 50_000;
/** So long after it began the verification of all begins anew, once it is through. */
const ALL_AGAIN_MS = 3_600_000;

interface Dependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly verifierKey: () => Promise<VerifierKey>;
  /** Where checkpoints are kept outside the database. */
  readonly dataDir: string;
  /** In one go; default 50,000. */
  readonly maxEntries?: number;
}

interface Check {
  readonly pass: 'new' | 'all';
  readonly size: number;
  readonly frontier: Buffer;
  readonly began_at: Date | null;
  readonly finished_at: Date | null;
  readonly finding: unknown;
}

/**
 * Verifies the audit log by itself and keeps what it found, which is what alerts and health tell: what is new at every
 * run, and again and again, a piece at a run, all of it. It stays found until the log verifies.
 */
export class LogChecks {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** One run; what is under way in another process counts there. */
  async run(): Promise<void> {
    const { database, clock } = this.#deps;
    const now = new Date(clock.now());
    const checks = (await database.db.selectFrom('audit_checks').selectAll().execute()) as Check[];
    for (const pass of ['new', 'all'] as const) {
      const check = checks.find((one) => one.pass === pass);
      if (check === undefined) throw new AuditTamperedError('A row of audit_checks is gone, which nothing removes.');
      const isUnderWay = check.began_at !== null && check.finished_at === null;
      if (pass === 'new' || isUnderWay) await this.#advance(check, check, now);
      else if (check.began_at === null || now.getTime() - check.began_at.getTime() >= ALL_AGAIN_MS) {
        const anew = { ...check, size: 0, frontier: Buffer.alloc(0), began_at: now, finished_at: null };
        await this.#advance(check, anew, now);
      }
    }
  }

  /** @param before as it is stored; what another process has stored meanwhile is left */
  async #advance(before: Check, check: Check, now: Date): Promise<void> {
    const { database, log, maxEntries = MAX_ENTRIES } = this.#deps;
    const { pass, began_at } = check;
    const { finding, tree, toEnd } = await this.#verify(check, maxEntries);
    const next = tree ?? check;
    const finished = finding === null && toEnd;
    // An earlier finding stands until a whole pass has found nothing.
    const kept = finding ?? (pass === 'all' && !finished ? before.finding : null);
    const stored = await database.transaction(async (tx) => {
      const { numUpdatedRows } = await tx
        .updateTable('audit_checks')
        .set({
          size: next.size,
          frontier: next.frontier,
          began_at,
          finished_at: finished || finding !== null ? now : null,
          checked_at: now,
          finding: kept === null ? null : JSON.stringify(kept),
        })
        .where('pass', '=', pass)
        .where('size', '=', before.size)
        .where(sql<boolean>`began_at is not distinct from ${before.began_at}`)
        .executeTakeFirst();
      // All of it is right, so what is new is as well, however it was before.
      if (pass === 'all' && finished)
        await tx
          .updateTable('audit_checks')
          .set({ size: next.size, frontier: next.frontier, finding: null })
          .where('pass', '=', 'new')
          .where('finding', 'is not', null)
          .execute();
      return numUpdatedRows > 0n;
    });
    if (finding !== null && before.finding === null && stored)
      log.error('The audit log was changed. "audit verify" names the entry.', { ...finding });
  }

  async #verify(check: Check, limit: number) {
    const { database, verifierKey, dataDir } = this.#deps;
    try {
      // Read before the log is: what is kept is never ahead of it.
      const keptNotes = check.pass === 'all' ? await readKeptNotes(dataDir) : [];
      const key = await verifierKey();
      const { size, frontier } = check;
      const verdict = await verifyDatabase(database.db, {
        key,
        keptNotes,
        keptLeavesPath: null,
        from: { size, frontier },
        limit,
      });
      const { finding, tree, toEnd } = verdict;
      return { finding, tree: finding === null ? tree : null, toEnd };
    } catch (error) {
      // A tree that does not fit its size: somebody has changed how far the verification came.
      if (!(error instanceof AuditTamperedError || error instanceof RangeError)) throw error;
      const finding: Finding = { kind: 'rewrite', seq: 0, lastSeq: 0, detail: error.message };
      return { finding, tree: null, toEnd: false };
    }
  }
}
