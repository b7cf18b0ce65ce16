import type { SessionService } from '../access/accounts/sessions.ts';
import { systemClock } from '../core/clock.ts';
import { type PollLoop, startPollLoop } from '../core/pollLoop.ts';

/** As fast as a request would notice it. */
const LOOK_MS = 750;

/** Notices that sessions end while something goes on for them, with one query for all of them. */
export class SessionWatch {
  readonly #sessions: Pick<SessionService, 'liveAmong'>;
  readonly #watched = new Map<string, Set<() => void>>();
  #loop: PollLoop | null = null;

  constructor(sessions: Pick<SessionService, 'liveAmong'>) {
    this.#sessions = sessions;
  }

  /** @returns ends the watch */
  watch(sessionId: string, onEnd: () => void): () => void {
    const watchers = this.#watched.get(sessionId) ?? new Set();
    this.#watched.set(sessionId, watchers.add(onEnd));
    this.#loop ??= startPollLoop(() => this.#look(), systemClock);
    return () => {
      if (watchers.delete(onEnd) && watchers.size === 0) this.#watched.delete(sessionId);
    };
  }

  async close(): Promise<void> {
    await this.#loop?.stop();
  }

  async #look(): Promise<number> {
    const ids = [...this.#watched.keys()];
    if (ids.length === 0) return LOOK_MS;
    // While the database is away nothing new can be shown, and it is asked again.
    const live = await this.#sessions.liveAmong(ids).catch(() => null);
    if (live === null) return LOOK_MS;
    for (const id of ids) {
      if (live.has(id)) continue;
      for (const onEnd of [...(this.#watched.get(id) ?? [])]) onEnd();
    }
    return LOOK_MS;
  }
}
