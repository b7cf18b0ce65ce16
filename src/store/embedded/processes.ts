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
  // Without a way to look we take it for ours, and so never remove the pid file of a living server.
  if (process.platform === 'win32') return 'ours';
  try {
    const command =
      process.platform === 'linux'
        ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
        : execFileSync('/bin/ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
    if (command === '') return 'gone'; // a zombie
    return command.includes(`-D ${cluster} `) ? 'ours' : 'other';
  } catch {
    return isAlive(pid) ? 'ours' : 'gone';
  }
}
