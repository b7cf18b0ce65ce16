import type pg from 'pg';
import { type Clock, systemClock } from '../../core/clock.ts';
import { errorMessage, UnavailableError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { AccessRules } from './accessRules.ts';
import { compileAccess } from './compile.ts';
import { readAccessVersion, readSnapshot } from './snapshotQueries.ts';

const POLL_INTERVAL_MS = 250;
/** What was true so long ago is looked up again before it is relied on: a change counts everywhere within 1 s. */
const FRESH_MS = 900;
/** How long a decision waits for that. */
const WAIT_MS = 2_000;
/** After this nothing is decided from it, whoever asks. */
const TRUSTED_MS = 5_000;
/** Clocks of replicas differ by less; what ended longer ago is not loaded. */
const CLOCK_DIFFERENCE_MS = 3_600_000;

/** Something that decisions, sessions or keys depend on is other than before. */
export interface AccessChange {
  readonly version: number;
  /** Users who may do nothing any more. */
  readonly stoppedUserIds: readonly string[];
}

interface Dependencies {
  readonly pool: pg.Pool;
  readonly log: Log;
  readonly clock?: Clock;
}

/**
 * The rules of access in memory, always fresh. A change made through this process counts from `changed` on, before it
 * is acknowledged; one made by another replica within a second. When the database cannot be reached, nothing is
 * decided from what may be old.
 */
export class AccessMap {
  readonly #pool: pg.Pool;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #listeners = new Set<(change: AccessChange) => void>();
  readonly #closing = new AbortController();
  #rules: AccessRules | undefined;
  #version = 0;
  #rulesVersion = 0;
  /** What is in memory was true at this moment of the monotonic clock, or later. */
  #asOfMs = Number.NEGATIVE_INFINITY;
  /** What was read up to this moment of the monotonic clock is known to be old. */
  #oldUntilMs = Number.NEGATIVE_INFINITY;
  #nextExpiryMs = Number.POSITIVE_INFINITY;
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;
  #polling: Promise<void> = Promise.resolve();

  private constructor({ pool, log, clock = systemClock }: Dependencies) {
    this.#pool = pool;
    this.#log = log;
    this.#clock = clock;
  }

  /** Loads the rules and keeps them fresh until `close`. @throws UnavailableError */
  static async open(deps: Dependencies): Promise<AccessMap> {
    const map = new AccessMap(deps);
    await map.refresh();
    map.#polling = map.#poll();
    return map;
  }

  /** Rises with every change of users, roles, grants, break-glass, sessions and keys. */
  get version(): number {
    return this.#version;
  }

  /**
   * The rules as they were at most a second ago, read again when needed.
   * @throws UnavailableError when the database does not answer
   */
  async fresh(): Promise<AccessRules> {
    if (this.#ageMs() > FRESH_MS) await this.#patiently(this.refresh());
    return this.rules;
  }

  /**
   * The rules in memory, for where nothing can be waited for. At most 5 s old, and 250 ms as a rule.
   * @throws UnavailableError when they are older
   */
  get rules(): AccessRules {
    if (this.#rules === undefined || this.#ageMs() > TRUSTED_MS)
      throw new UnavailableError(
        'Who may do what could not be read from the database for some seconds, so nothing is allowed. It is tried again all the time; see /health.',
      );
    return this.#rules;
  }

  /**
   * To be awaited after the commit of a change of access and before it is acknowledged. Does not fail: when the new
   * rules cannot be read, nothing more is decided from the old ones.
   */
  async changed(): Promise<void> {
    const committedMs = this.#clock.monotonicMs();
    try {
      await this.#patiently(this.refresh());
    } catch {
      this.#oldUntilMs = committedMs;
    }
  }

  /** Reads what is in the database now. @throws UnavailableError */
  refresh(): Promise<void> {
    if (this.#next !== null) return this.#next;
    if (this.#running === null) return this.#begin();
    // The one under way may have begun before the change that the caller knows of.
    this.#next = this.#running.catch(() => {}).then(() => this.#begin());
    return this.#next;
  }

  /** Calls `listener` after every change, also when a rule ends by its time. @returns a function that ends it */
  onChange(listener: (change: AccessChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#polling;
    await Promise.allSettled([this.#running, this.#next]);
  }

  #begin(): Promise<void> {
    this.#next = null;
    this.#running = this.#load().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #load(): Promise<void> {
    const startedMs = this.#clock.monotonicMs();
    let found = await readAccessVersion(this.#pool);
    let rules = this.#rules;
    if (rules === undefined || found.rulesVersion !== this.#rulesVersion) {
      const snapshot = await readSnapshot(this.#pool, new Date(this.#clock.now() - CLOCK_DIFFERENCE_MS));
      rules = compileAccess(snapshot);
      found = snapshot;
    }
    const before = this.#rules;
    const isOther = before !== undefined && found.version !== this.#version;
    this.#rules = rules;
    this.#version = found.version;
    this.#rulesVersion = found.rulesVersion;
    this.#asOfMs = startedMs;
    const nowMs = this.#clock.now();
    const hasExpired = nowMs >= this.#nextExpiryMs;
    this.#nextExpiryMs = rules.nextExpiryMs(nowMs);
    if (isOther || hasExpired) this.#tell(before!, rules);
  }

  #tell(before: AccessRules, now: AccessRules): void {
    const stoppedUserIds = before === now ? [] : [...before.activeUserIds()].filter((id) => !now.isActive(id));
    for (const listener of this.#listeners) {
      try {
        listener({ version: this.#version, stoppedUserIds });
      } catch (error) {
        this.#log.error('A listener to changes of access failed', { reason: errorMessage(error) });
      }
    }
  }

  async #poll(): Promise<void> {
    const { signal } = this.#closing;
    let reachable = true;
    for (;;) {
      await this.#clock.sleep(POLL_INTERVAL_MS, signal, { keepAlive: false }).catch(() => {});
      if (signal.aborted) return;
      try {
        await (this.#next ?? this.#running ?? this.refresh());
        reachable = true;
      } catch (error) {
        if (reachable) this.#log.warn('Who may do what cannot be read', { reason: errorMessage(error) });
        reachable = false;
      }
    }
  }

  #ageMs(): number {
    if (this.#asOfMs <= this.#oldUntilMs) return Number.POSITIVE_INFINITY;
    return this.#clock.monotonicMs() - this.#asOfMs;
  }

  /** A connection that hangs must not hold up whoever asks. */
  async #patiently(reading: Promise<void>): Promise<void> {
    const waiting = new AbortController();
    const late = this.#clock.sleep(WAIT_MS, waiting.signal, { keepAlive: false }).then(() => {
      throw new UnavailableError('Who may do what could not be read from the database in time. Try again.');
    });
    late.catch(() => {});
    try {
      await Promise.race([reading, late]);
    } catch (error) {
      if (error instanceof UnavailableError) throw error;
      throw new UnavailableError('Who may do what could not be read from the database.', { cause: error });
    } finally {
      waiting.abort();
      reading.catch(() => {});
    }
  }
}
