import { type Clock, systemClock } from '../core/clock.ts';
import { errorMessage } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Database } from '../store/database.ts';
import { Coming } from './live/coming.ts';
import { LiveStreams } from './live/liveStreams.ts';
import { LogTail } from './live/logTail.ts';
import type { RedisHints } from './live/redisHints.ts';
import { LogHistory } from './search/logHistory.ts';
import type { LogChoice } from './search/logQuery.ts';
import { readChoice } from './search/logQuery.ts';
import { filterPredicate } from './search/matches.ts';
import type { IntegrationLog, LogOptions, LogPage, LogReader } from './types.ts';

interface Parts {
  readonly database: Database;
  readonly log: Log;
  readonly clock?: Clock;
  /** How replicas tell each other of new logs; null: each looks by itself, four times a second. */
  readonly hints: RedisHints | null;
}

/** The reading half of the logs: what is stored, and what comes. Asks nothing before it is used. */
export class LogReading implements LogReader {
  readonly history: LogHistory;
  /** Those who follow over a connection. */
  readonly streams: LiveStreams;
  readonly #tail: LogTail;
  readonly #hints: RedisHints | null;
  readonly #log: Log;
  readonly #clock: Clock;

  constructor({ database, log, clock = systemClock, hints }: Parts) {
    this.#log = log;
    this.#clock = clock;
    this.history = new LogHistory({ database, clock });
    this.#hints = hints;
    this.#tail = new LogTail({ database, log, clock, begins: () => hints?.listen(() => this.#tail.wake()) });
    this.streams = new LiveStreams({ database, tail: this.#tail, log, clock });
  }

  /** @throws as `LogHistory.read` does */
  read(scope: string | readonly string[] | null, options?: LogOptions): Promise<LogPage> {
    return this.history.read(scope, options);
  }

  /**
   * Calls `onLog` with every record that is committed from now on by any replica, in the order of `seq`, soon after:
   * within a quarter of a second as a rule. Where others follow already, some committed just before may come, too.
   */
  subscribe(onLog: (log: IntegrationLog) => void, scope?: string): () => void {
    return this.#tail.listen(({ logs }) => {
      for (const log of logs) {
        if (scope !== undefined && log.integrationId !== scope) continue;
        try {
          onLog(log);
        } catch (error) {
          this.#log.error('A subscriber to logs failed', { reason: errorMessage(error) });
        }
      }
    });
  }

  /**
   * The newest `limit` records that a search finds, the oldest first, and then every one that comes, until the signal
   * fires. A database that goes away is waited for; nothing is left out or said twice.
   * @throws as `LogHistory.read` does, and the signal's reason
   */
  async *follow(
    scope: string | null,
    choice: LogChoice,
    limit: number,
    signal: AbortSignal,
  ): AsyncGenerator<IntegrationLog> {
    const { filter } = readChoice(choice, this.#clock.now());
    const matches = filterPredicate(filter);
    const coming = new Coming();
    const stop = this.#tail.listen(({ logs }) => coming.add(logs));
    // While the database is away nothing else would keep a program alive that waits for it.
    const alive = setInterval(() => {}, 60_000);
    try {
      const begun = await this.#tail.begun(signal);
      yield* (await this.history.newest(scope, choice, limit, begun + 1)).reverse();
      for (;;) {
        for (const log of await coming.next(signal))
          if ((scope === null || log.integrationId === scope) && matches(log)) yield log;
      }
    } finally {
      clearInterval(alive);
      coming.close();
      stop();
    }
  }

  /** To be told of every commit of this process, so that followers have it sooner. */
  committed(): void {
    this.#tail.wake();
    this.#hints?.say();
  }

  /** Ends every stream and subscription. */
  async close(): Promise<void> {
    this.streams.close();
    this.#hints?.close();
    await this.#tail.close();
  }
}
