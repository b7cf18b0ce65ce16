import { type RawBuilder, sql } from 'kysely';
import type { IntegrationRef } from '../../access/types.ts';
import { type Clock, systemClock } from '../../core/clock.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { VisibleIntegrations } from '../../integrations/visibleIntegrations.ts';
import type { Database } from '../../store/database.ts';
import { filterSql } from '../search/filterSql.ts';
import { scopeCondition } from '../search/logScope.ts';
import { LiveGroup } from './liveGroup.ts';
import { type LiveRequest, LiveStream } from './liveStream.ts';
import type { LogTail, TailBatch } from './logTail.ts';
import { LiveMessage } from './messages.ts';
import { readStretch } from './tailQueries.ts';
import { KnownIntegrations } from './visibility.ts';

const MAX_STREAMS = 1_000;
/** Further back than this nobody is brought forward record by record; what lies before is a gap. */
const MAX_RESUMED_RECORDS = 100_000;
/** Numbers looked at, and records read, at a time while catching up. */
const STRETCH_NUMBERS = 20_000;
const STRETCH_RECORDS = 1_000;
const SETTLE_INTERVAL_MS = 250;
const BEAT_INTERVAL_MS = 15_000;
/** Sessions end by their time too, which nothing announces. */
const RECHECK_INTERVAL_MS = 60_000;
/** Then the client comes again, with a credential that is still good. */
const MAX_AGE_MS = 3_600_000;
const DRAIN_LOOK_MS = 50;
const NO_REFS: ReadonlyMap<string, IntegrationRef> = new Map();

/** Everybody who follows the logs over a connection of this process. */
export class LiveStreams {
  readonly #database: Database;
  readonly #tail: LogTail;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #known: KnownIntegrations;
  readonly #streams = new Set<LiveStream>();
  readonly #groups = new Map<string, LiveGroup>();
  #stop: (() => void) | null = null;

  constructor(parts: {
    readonly database: Database;
    readonly tail: LogTail;
    readonly log: Log;
    readonly clock?: Clock;
  }) {
    this.#database = parts.database;
    this.#tail = parts.tail;
    this.#log = parts.log;
    this.#clock = parts.clock ?? systemClock;
    this.#known = new KnownIntegrations(parts.database);
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Begins a stream; null when there are as many as may be. It ends with `end` or by itself. */
  open(request: LiveRequest): LiveStream | null {
    if (this.#streams.size >= MAX_STREAMS) return null;
    const stream = new LiveStream(request, () => this.#clock.monotonicMs());
    this.#streams.add(stream);
    stream.ended.addEventListener('abort', () => this.#remove(stream), { once: true });
    this.#stop ??= this.#start();
    this.#bringForward(stream).catch((error: unknown) => {
      if (stream.ended.aborted) return;
      this.#log.warn('A stream of logs could not be brought forward', { reason: errorMessage(error) });
      stream.end('goingAway');
    });
    return stream;
  }

  /** Asks for every stream again what it may show; to be called when access has changed. */
  async recheck(): Promise<void> {
    await Promise.all([...this.#streams].map((stream) => this.#recheck(stream)));
  }

  /** Ends all streams, as the server does. */
  close(): void {
    for (const stream of [...this.#streams]) stream.end('goingAway');
  }

  #start(): () => void {
    const stopListening = this.#tail.listen((batch) => this.#broadcast(batch));
    const each = (intervalMs: number, act: (stream: LiveStream) => void) =>
      setInterval(() => {
        for (const stream of [...this.#streams]) act(stream);
      }, intervalMs).unref();
    const timers = [
      each(SETTLE_INTERVAL_MS, (stream) => stream.settle()),
      each(BEAT_INTERVAL_MS, (stream) => stream.beat()),
      each(RECHECK_INTERVAL_MS, (stream) => {
        if (stream.ageMs > MAX_AGE_MS) stream.end('goingAway');
        else void this.#recheck(stream);
      }),
    ];
    return () => {
      stopListening();
      for (const timer of timers) clearInterval(timer);
    };
  }

  async #broadcast(batch: TailBatch): Promise<void> {
    const refs = await this.#refsFor(batch);
    // Looked at after the wait: a stream may have changed its group meanwhile.
    const groups = [...this.#groups.values()];
    const texts = new Map<number, string>();
    for (const group of groups) {
      if (refs === null && group.visible.kind === 'some') group.skip(batch);
      else group.broadcast(batch, refs ?? NO_REFS, texts);
    }
  }

  /** Null when they could not be read. */
  async #refsFor({ logs }: TailBatch): Promise<ReadonlyMap<string, IntegrationRef> | null> {
    try {
      // Always where somebody may not see everything, also while they do not follow yet.
      if (![...this.#streams].some(({ visible }) => visible.kind === 'some')) return NO_REFS;
      return await this.#known.find(new Set(logs.map(({ integrationId }) => integrationId)));
    } catch (error) {
      this.#log.warn('Whose logs came could not be read; they are left out', { reason: errorMessage(error) });
      return null;
    }
  }

  /** Sends what is stored from `since` on, then joins those who follow; nothing is sent twice or left out in between. */
  async #bringForward(stream: LiveStream): Promise<void> {
    const { since } = stream.request;
    const begun = await this.#tail.begun(stream.ended);
    stream.position = Math.min(since ?? begun, begun);
    const earliest = begun - MAX_RESUMED_RECORDS;
    if (stream.position < earliest) stream.skip(stream.position + 1, earliest);
    stream.send(LiveMessage.logs([], stream.position));
    for (;;) {
      // A tail that began anew may be behind for a moment.
      const last = Math.max(await this.#tail.begun(stream.ended), stream.position);
      // No await between this comparison and joining: the next batch begins right after.
      if (stream.position === last) break;
      await this.#sendStretch(stream, last);
    }
    this.#join(stream);
  }

  async #sendStretch(stream: LiveStream, last: number): Promise<void> {
    const { position } = stream;
    const to = Math.min(last, position + STRETCH_NUMBERS);
    const condition = await this.#conditionOf(stream);
    const { logs, toSeq } = await readStretch(this.#database.db, position, to, STRETCH_RECORDS, condition);
    if (logs.length > 0) {
      stream.send(
        LiveMessage.logs(
          logs.map((log) => JSON.stringify(log)),
          toSeq,
        ),
      );
    }
    stream.position = toSeq;
    while (!stream.drained && !stream.ended.aborted)
      await this.#clock.sleep(DRAIN_LOOK_MS, stream.ended, { keepAlive: false }).catch(() => {});
    stream.ended.throwIfAborted();
  }

  async #conditionOf({ request, visible }: LiveStream): Promise<RawBuilder<boolean>> {
    const { filter, integrationId } = request;
    const scope = await scopeCondition(this.#database.db, { visible, integrationId });
    return scope === null ? filterSql(filter) : sql`${scope} and ${filterSql(filter)}`;
  }

  #join(stream: LiveStream): void {
    const key = LiveGroup.keyOf(stream);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = new LiveGroup(stream);
      this.#groups.set(key, group);
    }
    group.streams.add(stream);
  }

  #leave(stream: LiveStream): boolean {
    const key = LiveGroup.keyOf(stream);
    const group = this.#groups.get(key);
    if (group === undefined || !group.streams.delete(stream)) return false;
    if (group.streams.size === 0) this.#groups.delete(key);
    return true;
  }

  #remove(stream: LiveStream): void {
    this.#leave(stream);
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    this.#stop?.();
    this.#stop = null;
  }

  async #recheck(stream: LiveStream): Promise<void> {
    let visible: VisibleIntegrations;
    try {
      visible = await stream.request.recheck();
    } catch (error) {
      // Nothing is shown that nobody can say may be shown; the client comes back when it can be asked.
      this.#log.warn('Who may follow the logs could not be read; a stream was ended', { reason: errorMessage(error) });
      return stream.end('goingAway');
    }
    if (stream.ended.aborted) return;
    if (visible.kind === 'none') return stream.end('forbidden');
    const isMember = this.#leave(stream);
    stream.visible = visible;
    if (isMember) this.#join(stream);
  }
}
