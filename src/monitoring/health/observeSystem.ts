import type { Clock } from '../../core/clock.ts';
import type { SystemSample } from '../metrics/systemSamples.ts';
import type { HealthObservation, HealthStatus } from './healthProbe.ts';

const LOOP_WARN_MS = 500;
const LOOP_FAIL_MS = 3_000;
const DISK_WARN_RATIO = 0.1;
const DISK_FAIL_RATIO = 0.02;
const MEMORY_WARN_RATIO = 0.9;
const WRITES_FAIL_MS = 60_000;

/** Whether what processes measure can be written: the database takes writes, its disk has room. */
export interface Writes {
  /** Monotonic milliseconds; null before the first. */
  readonly lastMs: number | null;
  /** Why the last one failed; null when it did not. */
  readonly error: string | null;
}

export function observeEventLoop(delayMs: number): HealthObservation {
  return judge(delayMs, LOOP_WARN_MS, LOOP_FAIL_MS, 'ms', 'The process has more work than it can do in time.');
}

/** Of the memory that the process may have: a container's limit, or the machine's. */
export function observeMemory(): HealthObservation {
  const used = process.memoryUsage.rss();
  // 0, or larger than any machine: there is no limit.
  const limit = process.constrainedMemory();
  const total = limit > 0 && limit < 2 ** 50 ? limit : used + process.availableMemory();
  const percent = Math.round((100 * used) / total);
  const observed = { observedValue: percent, observedUnit: '%', threshold: 100 * MEMORY_WARN_RATIO };
  if (used / total < MEMORY_WARN_RATIO) return { status: 'pass', ...observed };
  return { status: 'warn', ...observed, output: 'The process is about to use all the memory there is.' };
}

export function observeDisk({ disk_free_ratio: free }: SystemSample): HealthObservation {
  if (free === undefined) return { status: 'pass', output: 'The file system of the data folder does not tell.' };
  const percent = Math.round(1_000 * free) / 10;
  const observed = { observedValue: percent, observedUnit: '% free', threshold: 100 * DISK_WARN_RATIO };
  if (free >= DISK_WARN_RATIO) return { status: 'pass', ...observed };
  return {
    status: free < DISK_FAIL_RATIO ? 'fail' : 'warn',
    ...observed,
    output: 'The disk of the data folder is almost full. Make room, or give it a larger one.',
  };
}

/** A database that can be read but not written (a full disk, a quota, a standby) is found here. */
export function observeMeasurements({ lastMs, error }: Writes, clock: Clock): HealthObservation {
  const sinceMs = lastMs === null ? 0 : clock.monotonicMs() - lastMs;
  const observed = { observedValue: Math.round(sinceMs / 1000), observedUnit: 's', threshold: WRITES_FAIL_MS / 1000 };
  if (error !== null) return { status: 'fail', ...observed, output: `The database takes no writes: ${error}` };
  if (sinceMs < WRITES_FAIL_MS) return { status: 'pass', ...observed };
  return { status: 'fail', ...observed, output: 'Nothing was written for a while.' };
}

function judge(value: number, warn: number, fail: number, unit: string, output: string): HealthObservation {
  const status: HealthStatus = value < warn ? 'pass' : value < fail ? 'warn' : 'fail';
  const observed = { observedValue: Math.round(value), observedUnit: unit, threshold: warn };
  return status === 'pass' ? { status, ...observed } : { status, ...observed, output };
}
