import { AbortedError } from '../core/errors.ts';
import { EXIT } from './exitCodes.ts';

/** npm hands Ctrl-C on to a program that the terminal has already told. */
const SAME_PRESS_MS = 1_000;

const EXIT_CODES = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated } as const;

/** Calls `first` once, with the exit code that fits; whoever asks again after a moment gets an immediate end. */
export function onInterruption(first: (exitCode: number) => void): void {
  let askedAtMs: number | undefined;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      const nowMs = performance.now();
      if (askedAtMs === undefined) {
        askedAtMs = nowMs;
        first(EXIT_CODES[name]);
      } else if (nowMs - askedAtMs > SAME_PRESS_MS) process.exit(EXIT_CODES[name]);
    });
  }
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
