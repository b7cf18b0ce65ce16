import { type Clock, systemClock } from '../../core/clock.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { type PollLoop, startPollLoop } from '../../core/pollLoop.ts';
import type { Database } from '../../store/database.ts';
import { writeLastUses } from './apiKeyQueries.ts';

const INTERVAL_MS = 60_000;
/** More keys than are used within a minute; those beyond it are noted at their next use. */
const MAX_PENDING = 50_000;

/** Notes when keys were last used, and writes it once a minute for all of them together. */
export class LastUses {
  readonly #database: Database;
  readonly #log: Log;
  readonly #loop: PollLoop;
  #pending = new Map<string, Date>();

  constructor(options: { database: Database; log: Log; clock?: Clock; intervalMs?: number }) {
    const { database, log, clock = systemClock, intervalMs = INTERVAL_MS } = options;
    this.#database = database;
    this.#log = log;
    this.#loop = startPollLoop(async () => {
      await this.flush();
      return intervalMs;
    }, clock);
  }

  note(apiKeyId: string, nowMs: number): void {
    if (this.#pending.size < MAX_PENDING || this.#pending.has(apiKeyId)) this.#pending.set(apiKeyId, new Date(nowMs));
  }

  /** What cannot be written now is written with the next round. */
  async flush(): Promise<void> {
    if (this.#pending.size === 0) return;
    const uses = this.#pending;
    this.#pending = new Map();
    try {
      await writeLastUses(this.#database.db, uses);
    } catch (error) {
      this.#log.warn('The last use of API keys could not be written; tried again', { reason: errorMessage(error) });
      for (const [id, at] of uses) if (!this.#pending.has(id)) this.note(id, at.getTime());
    }
  }

  /** Writes what is pending. */
  async close(): Promise<void> {
    await this.#loop.stop();
    await this.flush();
  }
}
