import { type Clock, systemClock } from '../../core/clock.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Database } from '../../store/database.ts';
import type { IntegrationLog } from '../types.ts';
import { lastSeq, newestSince, readAfter } from './tailQueries.ts';

/** Between two looks: so records come in batches, and a busy log costs no more than a quiet one. */
const MIN_INTERVAL_MS = 60;
/** Where nothing comes and nobody wakes the tail, the time between looks grows up to this. */
const MAX_INTERVAL_MS = 250;
const GROWTH = 1.5;
const MAX_RETRY_MS = 2_000;
const PAGE_RECORDS = 1_000;

/** What was committed between two looks; of some numbers there may be no record any more. */
export interface TailBatch {
  readonly fromSeq: number;
  readonly toSeq: number;
  /** In the order of `seq`. */
  readonly logs: readonly IntegrationLog[];
}

/** Must not throw. The next batch comes when it has ended. */
export type TailListener = (batch: TailBatch) => void | Promise<void>;

/**
 * Follows the table of logs for everybody in this process with one query at a time, and only while somebody listens.
 * Every record of every replica comes once and in the order of `seq`, which is that of the commits and without holes.
 */
export class LogTail {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #begins: () => void;
  readonly #listeners = new Set<TailListener>();
  #run: { readonly stop: AbortController; readonly ended: Promise<void> } | null = null;
  #pause = new AbortController();
  #woken = false;
  #position: number | null = null;
  #positionWaiters: ((position: number) => void)[] = [];

  /** @param parts `begins` is called when the first one listens */
  constructor(parts: {
    readonly database: Database;
    readonly log: Log;
    readonly clock?: Clock;
    readonly begins?: () => void;
  }) {
    this.#begins = parts.begins ?? (() => {});
    this.#database = parts.database;
    this.#log = parts.log;
    this.#clock = parts.clock ?? systemClock;
  }

  /** All up to this number was handed to the listeners; null where nobody listens, and until the tail has begun. */
  get position(): number | null {
    return this.#position;
  }

  /** Hands every record to `listener` that is committed from now on. @returns ends it */
  listen(listener: TailListener): () => void {
    this.#listeners.add(listener);
    if (this.#run === null) this.#start();
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#stop();
    };
  }

  /** The position as soon as there is one. Only while somebody listens. */
  async begun(signal: AbortSignal): Promise<number> {
    if (this.#position !== null) return this.#position;
    signal.throwIfAborted();
    return await new Promise<number>((resolve, reject) => {
      this.#positionWaiters.push(resolve);
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  }

  /** Says that there is something new; the next look comes sooner. */
  wake(): void {
    this.#woken = true;
    this.#pause.abort();
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    const run = this.#run;
    this.#stop();
    await run?.ended;
  }

  #start(): void {
    const stop = new AbortController();
    const beganMs = this.#clock.now();
    this.#run = { stop, ended: this.#follow(beganMs, stop.signal) };
    this.#begins();
  }

  #stop(): void {
    this.#run?.stop.abort();
    this.#run = null;
    this.#position = null;
    this.#pause.abort();
  }

  async #follow(beganMs: number, stop: AbortSignal): Promise<void> {
    let position: number | null = null;
    let waitMs = MIN_INTERVAL_MS;
    let failures = 0;
    while (!stop.aborted) {
      const lookedMs = this.#clock.monotonicMs();
      this.#woken = false;
      try {
        position ??= await this.#firstPosition(beganMs, stop);
        const before: number = position;
        const last = await this.#look(before, stop);
        if (stop.aborted) return;
        position = this.#position!;
        failures = 0;
        if (position < last) continue;
        waitMs = position === before ? Math.min(waitMs * GROWTH, MAX_INTERVAL_MS) : MIN_INTERVAL_MS;
      } catch (error) {
        if (failures++ === 0)
          this.#log.warn('The logs cannot be followed; tried again', { reason: errorMessage(error) });
        waitMs = Math.min(MAX_INTERVAL_MS * 2 ** failures, MAX_RETRY_MS);
      }
      await this.#wait(lookedMs, waitMs, stop);
    }
  }

  async #wait(lookedMs: number, waitMs: number, stop: AbortSignal): Promise<void> {
    this.#pause = new AbortController();
    const either = AbortSignal.any([this.#pause.signal, stop]);
    if (!this.#woken) await this.#clock.sleep(waitMs, either, { keepAlive: false }).catch(() => {});
    const leftMs = MIN_INTERVAL_MS - (this.#clock.monotonicMs() - lookedMs);
    if (leftMs > 0) await this.#clock.sleep(leftMs, stop, { keepAlive: false }).catch(() => {});
  }

  /** What was logged after `beganMs` comes, although it may be committed before anything could be read. */
  async #firstPosition(beganMs: number, stop: AbortSignal): Promise<number> {
    const last = await lastSeq(this.#database.db);
    const position = (await newestSince(this.#database.db, last, new Date(beganMs))) ?? last;
    if (stop.aborted) return position;
    this.#position = position;
    for (const resolve of this.#positionWaiters.splice(0)) resolve(position);
    return position;
  }

  /** Hands on what is there, up to a page. @returns the number of the last record that is committed */
  async #look(position: number, stop: AbortSignal): Promise<number> {
    const last = await lastSeq(this.#database.db);
    if (last <= position) return last;
    const { logs, toSeq } = await readAfter(this.#database.db, position, last, PAGE_RECORDS, this.#clock.now());
    if (stop.aborted) return last;
    this.#position = toSeq;
    const batch = { fromSeq: position + 1, toSeq, logs };
    await Promise.all([...this.#listeners].map((listener) => listener(batch)));
    return last;
  }
}
