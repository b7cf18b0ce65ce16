import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Whether a process of this id exists, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * What lives under an id that a pid file names: after a restart of the machine or of a container it may well be
 * somebody else. `ours` is a server of the data directory `cluster`.
 */
export function identify(pid: number, cluster: string): 'gone' | 'ours' | 'other' {
  if (!isAlive(pid)) return 'gone';
  try {
    const command = commandOf(pid);
    if (command === '') return 'gone'; // a zombie
    return command.includes(`-D ${cluster} `) || command.includes('"postgres.exe"') ? 'ours' : 'other';
  } catch {
    // Without a way to look it is taken for ours, so that the pid file of a living server is never removed.
    return isAlive(pid) ? 'ours' : 'gone';
  }
}

function commandOf(pid: number): string {
  if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  if (process.platform === 'win32') {
    return execFileSync('tasklist', ['/FI', `PID eq ${pid}`, '/FO', 'CSV', '/NH'], { encoding: 'utf8' });
  }
  return execFileSync('/bin/ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
}
