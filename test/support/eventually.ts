import { setTimeout as delay } from 'node:timers/promises';

/** Waits until `look` gives something other than null, undefined or false; fails after `timeoutMs`. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  timeoutMs = 40_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`Still waiting after ${timeoutMs} ms for: ${what}`);
    await delay(20);
  }
}
