import type { Clock } from '../../core/clock.ts';
import { errorMessage } from '../../core/errors.ts';

export type HealthStatus = 'pass' | 'warn' | 'fail';

/** What was seen of one part, in the words of the health+json draft (draft-inadarei-api-health-check-06). */
export interface HealthObservation {
  readonly status: HealthStatus;
  readonly observedValue?: number | string;
  readonly observedUnit?: string;
  /** From where on it does not pass, in the same unit. */
  readonly threshold?: number;
  /** Why it does not pass. */
  readonly output?: string;
}

export interface HealthCheck extends HealthObservation {
  /** ISO 8601: when it was seen. */
  readonly time: string;
}

/** An observation this young answers everybody who asks, so that asking costs the part nothing. */
const FRESH_MS = 1_000;
const DEADLINE_MS = 1_000;
/** While a part is looked at, what was seen within this time still stands. */
const RECENT_MS = 10_000;

/**
 * Looks at one part when asked, once at a time, and never lets the one who asks wait for a part that hangs.
 */
export class HealthProbe {
  readonly #observe: () => Promise<HealthObservation>;
  readonly #clock: Clock;
  #last: { readonly check: HealthCheck; readonly atMs: number } | null = null;
  #running: { readonly done: Promise<void>; readonly sinceMs: number } | null = null;

  constructor(observe: () => Promise<HealthObservation>, clock: Clock) {
    this.#observe = observe;
    this.#clock = clock;
  }

  /**
   * The state of the part, known within `waitMs`. One that is silent for longer is as it was seen in the last ten
   * seconds, or a warning when it was not; silent for a second, it fails.
   */
  async check(waitMs: number): Promise<HealthCheck> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#last !== null && this.#running === null && nowMs - this.#last.atMs < FRESH_MS) return this.#last.check;
    this.#running ??= { done: this.#look(), sinceMs: nowMs };
    const { done, sinceMs } = this.#running;
    if (await finishesWithin(done, waitMs)) return this.#last!.check;
    const silentMs = Math.round(this.#clock.monotonicMs() - sinceMs);
    if (silentMs < DEADLINE_MS && this.#last !== null && nowMs - this.#last.atMs < RECENT_MS) return this.#last.check;
    return this.#stamp({
      // What failed goes on failing until it answers again.
      status: silentMs >= DEADLINE_MS || this.#last?.check.status === 'fail' ? 'fail' : 'warn',
      observedValue: silentMs,
      observedUnit: 'ms',
      output: `No answer for ${silentMs} ms.`,
    });
  }

  async #look(): Promise<void> {
    const observation = await this.#observe().catch(
      (error: unknown): HealthObservation => ({ status: 'fail', output: errorMessage(error) }),
    );
    this.#last = { check: this.#stamp(observation), atMs: this.#clock.monotonicMs() };
    this.#running = null;
  }

  #stamp(observation: HealthObservation): HealthCheck {
    return { ...observation, time: new Date(this.#clock.now()).toISOString() };
  }
}

/** The worst of several. */
export function worstStatus(checks: readonly HealthObservation[]): HealthStatus {
  for (const status of ['fail', 'warn'] as const) if (checks.some((check) => check.status === status)) return status;
  return 'pass';
}

async function finishesWithin(done: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const finished = await Promise.race([done.then(() => true), late]);
  clearTimeout(timer);
  return finished;
}
