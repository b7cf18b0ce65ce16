import { readEnvironment } from '../config/env.ts';
import { AbortedError } from '../core/errors.ts';
import { EXIT } from './exitCodes.ts';

/** npm hands Ctrl-C on to a program that the terminal has already told. */
const SAME_PRESS_MS = 1_000;
const PARENT_INTERVAL_MS = 250;

/** Calls `first` once, with the exit code that fits; whoever asks again after a moment gets an immediate end. */
export function onInterruption(first: (exitCode: number) => void): void {
  let askedAtMs: number | undefined;
  const ask = (exitCode: number): void => {
    const nowMs = performance.now();
    if (askedAtMs === undefined) {
      askedAtMs = nowMs;
      first(exitCode);
    } else if (nowMs - askedAtMs > SAME_PRESS_MS) process.exit(exitCode);
  };
  process.on('SIGINT', () => ask(EXIT.interrupted));
  process.on('SIGTERM', () => ask(EXIT.terminated));
  if (readEnvironment().npm_lifecycle_event !== undefined) onParentGone(() => ask(EXIT.terminated));
}

/**
 * npm gives a SIGTERM to the shell between it and this program, which many shells keep to themselves: they end, and
 * this program would go on without anybody knowing.
 */
function onParentGone(gone: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    gone();
  }, PARENT_INTERVAL_MS).unref();
}

/** The signal of Ctrl-C and SIGTERM, which ask a command to end cleanly. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  onInterruption((exitCode) => {
    process.exitCode = exitCode;
    controller.abort(new AbortedError('Interrupted.'));
  });
  return controller.signal;
}

/** The promise, or the signal's reason as soon as it fires; what still runs then is left to end by itself. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
