import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Folders } from './folders.ts';

/** Where a server answers. */
export interface Endpoint {
  readonly pid: number;
  /** Socket folder, or address. */
  readonly host: string;
  readonly port: number;
}

/** What a server says of itself in postmaster.pid. */
export interface PidFile extends Endpoint {
  readonly status: string;
}

/** The file's lines: pid, data directory, start time, port, socket folder, address, shared memory, status. */
export function readPidFile(folders: Folders): PidFile | null {
  let lines: string[];
  try {
    lines = readFileSync(join(folders.cluster, 'postmaster.pid'), 'utf8').split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const pid = Number(lines[0]);
  if (!pid) return null; // being written at this moment, or left empty by a crash
  return {
    pid,
    port: Number(lines[3]) || 0,
    host: lines[4] || lines[5] || '',
    status: (lines[7] ?? '').trim(),
  };
}

/**
 * PostgreSQL refuses to start while a pid in these files is taken, though it is another program's by now, and while
 * one is empty (`pid` 0).
 */
export function removeStaleFiles(folders: Folders, pid: number): void {
  for (const path of [join(folders.cluster, 'postmaster.pid'), join(folders.socket, '.s.PGSQL.5432.lock')]) {
    try {
      if (Number(readFileSync(path, 'utf8').split('\n')[0]) === pid) rmSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}
