/** Calls that may be under way to one origin at the same time: also the connections the client opens to it. */
export class OriginSlots {
  readonly #perOrigin: number;
  readonly #origins = new Map<string, { used: number; readonly line: (() => void)[] }>();

  constructor(perOrigin: number) {
    this.#perOrigin = perOrigin;
  }

  /** A slot that is free now, as the function that frees it again (call it once); null when all are taken. */
  tryAcquire(origin: string): (() => void) | null {
    const slots = this.#origins.get(origin);
    if (slots === undefined) this.#origins.set(origin, { used: 1, line: [] });
    else if (slots.used < this.#perOrigin) slots.used += 1;
    else return null;
    return () => this.#release(origin);
  }

  /** Waits in line for a slot. Rejects with the signal's reason when that fires first, and then holds nothing. */
  async acquire(origin: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    const free = this.tryAcquire(origin);
    if (free !== null) return free;
    const { line } = this.#origins.get(origin)!;
    await new Promise<void>((resolve, reject) => {
      const admit = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        line.splice(line.indexOf(admit), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      line.push(admit);
    });
    return () => this.#release(origin);
  }

  #release(origin: string): void {
    const slots = this.#origins.get(origin)!;
    const next = slots.line.shift();
    // The slot goes straight to the next in line, so `used` stays.
    if (next !== undefined) next();
    else if (--slots.used === 0) this.#origins.delete(origin);
  }
}
