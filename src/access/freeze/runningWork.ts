import { type Clock, systemClock } from '../../core/clock.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { type PollLoop, startPollLoop } from '../../core/pollLoop.ts';
import type { Database } from '../../store/database.ts';
import type { AccessSignal, AccessVersion } from '../accessSignal.ts';
import type { Principal } from '../types.ts';

/** With the half second in which the version is read, well within the second that is promised. */
const LOOK_MS = 100;
/** More than there can be connections. */
const MAX_RUNNING = 20_000;

interface Running {
  readonly principal: Exclude<Principal, { kind: 'installation' }>;
  readonly end: AbortController;
  /** The version at which its principal was last known to be active. */
  version: number;
}

export interface StartedWork {
  /** Fires when the principal may do nothing any more: their user or key was frozen, deactivated or revoked. */
  readonly signal: AbortSignal;
  done(): void;
}

/**
 * What is under way for users and keys, so that freezing one ends it: long exports, waits and streams. Looked at when
 * the version of access rises, with one query for all.
 */
export class RunningWork {
  readonly #deps: { database: Database; version: AccessVersion; signal: AccessSignal; log: Log };
  readonly #running = new Set<Running>();
  readonly #loop: PollLoop;
  readonly #unsubscribe: () => void;
  #announced = false;

  constructor(deps: {
    database: Database;
    version: AccessVersion;
    signal: AccessSignal;
    log: Log;
    clock?: Clock;
  }) {
    this.#deps = deps;
    this.#loop = startPollLoop(async () => {
      await this.#look();
      return LOOK_MS;
    }, deps.clock ?? systemClock);
    this.#unsubscribe = deps.signal.subscribe(() => {
      this.#announced = true;
      this.#loop.wake();
    });
  }

  get size(): number {
    return this.#running.size;
  }

  /**
   * Null when more is under way than is kept count of.
   * @param version as it was before the principal was authenticated
   */
  start(principal: Principal, version: number): StartedWork | null {
    const end = new AbortController();
    // The installation's key cannot be frozen; it is changed in the configuration.
    if (principal.kind === 'installation') return { signal: end.signal, done: () => {} };
    if (this.#running.size >= MAX_RUNNING) return null;
    const running: Running = { principal, end, version };
    this.#running.add(running);
    return { signal: end.signal, done: () => this.#running.delete(running) };
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    await this.#loop.stop();
  }

  /** Must not throw: it is the step of a loop. */
  async #look(): Promise<void> {
    const version = this.#deps.version.version();
    const everybody = this.#announced;
    const due = [...this.#running].filter((one) => everybody || one.version !== version);
    this.#announced = false;
    if (due.length === 0) return;
    try {
      const active = await this.#active(due);
      for (const one of due) {
        if (active.has(one.principal.kind === 'apiKey' ? one.principal.apiKeyId : one.principal.userId))
          one.version = version;
        else one.end.abort();
      }
    } catch (error) {
      this.#announced ||= everybody;
      this.#deps.log.warn('It could not be looked whether somebody with requests under way was frozen; tried again', {
        reason: errorMessage(error),
      });
    }
  }

  /** Ids of the users and keys of these that may still act. */
  async #active(due: readonly Running[]): Promise<ReadonlySet<string>> {
    const keyIds = new Set<string>();
    const userIds = new Set<string>();
    for (const { principal } of due) {
      if (principal.kind === 'apiKey') keyIds.add(principal.apiKeyId);
      else userIds.add(principal.userId);
    }
    const { rows } = await this.#deps.database.pool.query<{ id: string }>(
      `select id from users where id = any($1::text[]) and status = 'active'
       union all
       select k.id from api_keys k join users u on u.id = k.user_id
       where k.id = any($2::text[]) and k.status = 'active' and u.status = 'active'`,
      [[...userIds], [...keyIds]],
    );
    return new Set(rows.map(({ id }) => id));
  }
}
