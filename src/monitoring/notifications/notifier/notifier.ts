import type { Clock } from '../../../core/clock.ts';
import { errorMessage } from '../../../core/errors.ts';
import type { Log } from '../../../core/log.ts';
import { type PollLoop, startPollLoop } from '../../../core/pollLoop.ts';
import type { Database } from '../../../store/database.ts';
import { loadMuter } from '../muteQueries.ts';
import { loadPolicies } from '../policyQueries.ts';
import type { Deliveries } from './deliveries.ts';
import { flushDueGroup } from './flushGroup.ts';
import { takeChanges } from './takeChanges.ts';

const POLL_MS = 1_000;
const RETRY_AFTER_ERROR_MS = 2_000;
/** After so many groups the rules that mute are read anew. */
const MAX_GROUPS_PER_ROUND = 200;

/** The part of this process in telling of alerts: takes changes in, looks at groups that are due, delivers. */
export class Notifier {
  readonly #database: Database;
  readonly #deliveries: Deliveries;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #publicUrl: string;
  #groups: PollLoop | null = null;
  #sending: PollLoop | null = null;
  #unheard = false;
  #failing = false;

  constructor(options: { database: Database; deliveries: Deliveries; clock: Clock; log: Log; publicUrl: string }) {
    this.#database = options.database;
    this.#deliveries = options.deliveries;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#publicUrl = options.publicUrl;
  }

  start(): void {
    this.#groups ??= startPollLoop(() => this.#guard(() => this.#runGroups()), this.#clock);
    this.#sending ??= startPollLoop(() => this.#guard(() => this.#send()), this.#clock);
  }

  /** Something changed that a group has to be looked at for. */
  wake(): void {
    this.#groups?.wake();
  }

  /** Waits for what is being sent; nothing new is begun. */
  async close(): Promise<void> {
    await this.#groups?.stop();
    await this.#sending?.stop();
    await this.#deliveries.settle();
  }

  /** All that is due now, once: changes, groups, deliveries. */
  async runOnce(): Promise<void> {
    await this.#runGroups();
    while ((await this.#deliveries.begin(() => {})) > 0) await this.#deliveries.settle();
  }

  /** Takes in what changed and flushes every group that is due. */
  async #runGroups(): Promise<number> {
    while (await takeChanges(this.#database, this.#clock.now()));
    for (;;) {
      const { flushed, notifications } = await this.#round();
      if (notifications > 0) this.#sending?.wake();
      if (flushed < MAX_GROUPS_PER_ROUND) return POLL_MS;
    }
  }

  async #round(): Promise<{ flushed: number; notifications: number }> {
    const { db } = this.#database;
    const nowMs = this.#clock.now();
    const due = await db
      .selectFrom('alert_groups')
      .select('id')
      .where('due_at', '<=', new Date(nowMs))
      .limit(1)
      .executeTakeFirst();
    if (due === undefined) return { flushed: 0, notifications: 0 };
    const round = {
      nowMs,
      muter: await loadMuter(db, nowMs),
      policies: await loadPolicies(db),
      publicUrl: this.#publicUrl,
    };
    let notifications = 0;
    for (let flushed = 0; flushed < MAX_GROUPS_PER_ROUND; flushed++) {
      const outcome = await flushDueGroup(this.#database, round);
      if (outcome === null) return { flushed, notifications };
      notifications += outcome.notifications;
      this.#hear(outcome.unheard);
    }
    return { flushed: MAX_GROUPS_PER_ROUND, notifications };
  }

  async #send(): Promise<number> {
    const begun = await this.#deliveries.begin(() => this.#sending?.wake());
    return begun > 0 ? 0 : POLL_MS;
  }

  #hear(unheard: boolean): void {
    if (unheard && !this.#unheard)
      this.#log.warn('Alerts fire and nobody is told: no notification channel that they go to is there and active.');
    this.#unheard = unheard;
  }

  async #guard(step: () => Promise<number>): Promise<number> {
    try {
      const waitMs = await step();
      this.#failing = false;
      return waitMs;
    } catch (error) {
      if (!this.#failing) this.#log.warn('Alerts cannot be told of right now', { reason: errorMessage(error) });
      this.#failing = true;
      return RETRY_AFTER_ERROR_MS;
    }
  }
}
