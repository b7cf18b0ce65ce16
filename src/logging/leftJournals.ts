import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../store/database.ts';
import { listSegments, readLines } from './journalFiles.ts';
import { JournalLoader, type LoaderOptions } from './journalLoader.ts';
import { ownerState } from './journalOwner.ts';

const JOURNAL = /^jrn_[0-9a-z]{26}$/;

/**
 * Loads what processes left behind that were killed. Two that find the same journal do not load a line of it twice.
 * @param root where the journals of all processes are
 */
export async function loadLeftJournals(
  root: string,
  options: LoaderOptions & {
    /** Told of each journal that is over. */
    readonly onFinished: (journalId: string) => void;
  },
  signal: AbortSignal,
): Promise<void> {
  for (const id of await journalsIn(root)) {
    const folder = join(root, id);
    const state = await ownerState(folder, id).catch(() => 'alive' as const);
    if (state === 'alive') continue;
    const segments = await listSegments(folder);
    const read = (from: number, maxBytes: number) => readLines(segments, from, maxBytes);
    const loader = new JournalLoader({ journalId: id, read }, options);
    while (await loader.loadNext()) signal.throwIfAborted();
    if (state !== 'gone') continue;
    await finishJournal(options.database, id);
    await rm(folder, { recursive: true, force: true });
    options.onFinished(id);
  }
}

/** Notes that a journal is over, before its files go: whoever still loads it then has nothing to load. */
export async function finishJournal({ db }: Database, id: string): Promise<void> {
  await db
    .updateTable('log_journals')
    .set({ loaded_bytes: FINISHED, updated_at: new Date() })
    .where('id', '=', id)
    .execute();
}

/** Beyond every journal's end. */
const FINISHED = 2 ** 52;

async function journalsIn(root: string): Promise<string[]> {
  try {
    return (await readdir(root)).filter((name) => JOURNAL.test(name)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
