import { runInNewContext } from 'node:vm';

/** Far more than anything linear needs, and far less than what is not. */
const LIMIT_MS = 5000;

/** Runs it; what does not end is broken off in the middle and throws. */
export function inLimitedTime<T>(run: () => T): T {
  return runInNewContext('run()', { run }, { timeout: LIMIT_MS }) as T;
}
