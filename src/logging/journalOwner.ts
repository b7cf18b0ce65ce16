import { readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../store/embedded/processes.ts';

const OWNER_FILE = 'owner.json';
const BEAT_MS = 5_000;
/** Of an owner on another machine, or in another container, only its heartbeat tells. */
const SILENT_MS = 60_000;
/** So long after its last sign such an owner is gone for good. */
const GONE_MS = 86_400_000;

/** Journals of this process. */
const owned = new Set<string>();

export interface JournalOwner {
  release(): void;
}

/** Writes down whose journal it is, and keeps showing that they live. */
export async function ownJournal(folder: string, id: string): Promise<JournalOwner> {
  owned.add(id);
  const path = join(folder, OWNER_FILE);
  await writeFile(path, JSON.stringify({ pid: process.pid, host: hostname() }), { mode: 0o600 });
  const timer = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, BEAT_MS);
  timer.unref();
  return {
    release() {
      clearInterval(timer);
      owned.delete(id);
    },
  };
}

/**
 * Whether whoever wrote a journal is there: `alive`; `silent`, so that its lines may be loaded for it; or `gone`, so
 * that its files may be deleted, too.
 */
export async function ownerState(folder: string, id: string): Promise<'alive' | 'silent' | 'gone'> {
  if (owned.has(id)) return 'alive';
  const path = join(folder, OWNER_FILE);
  let owner: { pid?: unknown; host?: unknown };
  let silentMs: number;
  try {
    silentMs = Date.now() - (await stat(path)).mtimeMs;
    owner = JSON.parse(await readFile(path, 'utf8')) as typeof owner;
  } catch {
    // Killed before it was written; or written this very moment.
    silentMs = Date.now() - (await stat(folder)).mtimeMs;
    return silentMs > SILENT_MS ? 'gone' : 'alive';
  }
  if (owner.host === hostname()) {
    // A number of our own that is not ours any more was that of the process before us in this container.
    if (owner.pid === process.pid || !isAlive(Number(owner.pid))) return 'gone';
    // It may have slept, as a whole machine may; then it goes on writing.
    return silentMs > SILENT_MS ? 'silent' : 'alive';
  }
  if (silentMs > GONE_MS) return 'gone';
  return silentMs > SILENT_MS ? 'silent' : 'alive';
}
