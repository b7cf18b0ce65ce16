import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { ShareChange } from './adaptiveShare.ts';
import type { RateLimitChange } from './types.ts';

const KEPT = 100;

/** The latest changes of what integrations use of their budgets, for the log and the statistics. */
export class ShareChanges {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #changes: RateLimitChange[] = [];

  constructor(options: { clock: Clock; log: Log }) {
    this.#clock = options.clock;
    this.#log = options.log;
  }

  add(integrationId: string, { from, to, reason }: ShareChange): void {
    this.#log.info('An integration uses another share of its rate budget', { integrationId, from, to, reason });
    this.#changes.push({ integrationId, from, to, reason, at: new Date(this.#clock.now()).toISOString() });
    if (this.#changes.length > KEPT) this.#changes.shift();
  }

  /** The latest last. */
  of(integrationId?: string): RateLimitChange[] {
    return this.#changes.filter((change) => integrationId === undefined || change.integrationId === integrationId);
  }
}
