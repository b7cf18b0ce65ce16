import type { Clock } from './clock.ts';

/** Calls a function again and again until it is stopped. Waiting for the next call keeps no process alive. */
export interface PollLoop {
  /** Ends the current wait. */
  wake(): void;
  /** Resolves when a call under way has ended. */
  stop(): Promise<void>;
}

/** @param step one call; gives how long to wait until the next, unless woken, in milliseconds. Must not throw. */
export function startPollLoop(step: () => Promise<number>, clock: Clock): PollLoop {
  const stopped = new AbortController();
  let waiting = new AbortController();
  let woken = false;
  const run = async () => {
    while (!stopped.signal.aborted) {
      woken = false;
      const waitMs = await step();
      if (woken || stopped.signal.aborted) continue;
      waiting = new AbortController();
      await clock.sleep(waitMs, waiting.signal, { keepAlive: false }).catch(() => {});
    }
  };
  const running = run();
  const wake = () => {
    woken = true;
    waiting.abort();
  };
  return {
    wake,
    stop: async () => {
      stopped.abort();
      wake();
      await running;
    },
  };
}
