import type { VisibleIntegrations } from '../../integrations/visibleIntegrations.ts';
import type { LogFilter } from '../search/filter.ts';
import { LiveMessage } from './messages.ts';

/** More than this waiting for a connection to take it, and nothing is added. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
/** So little waiting, and it goes on. */
const RESUME_BUFFERED_BYTES = 256 * 1024;
/** A connection that takes nothing for so long is given up. */
const STUCK_MS = 15_000;

/** Why a stream ends. */
export type EndReason = 'stuck' | 'forbidden' | 'goingAway';

/** The connection of a stream. */
export interface LiveSink {
  /** What was given to `send` and has not left this process. */
  bufferedBytes(): number;
  send(message: LiveMessage): void;
  /** Shows that both sides are there. @param seq where to resume */
  beat(seq: number): void;
  close(reason: EndReason): void;
}

/** What a stream shows, and to whom. */
export interface LiveRequest {
  readonly filter: LogFilter;
  readonly visible: VisibleIntegrations;
  /** Of this integration, or of 'system', only. */
  readonly integrationId: string | null;
  /** Begins after this number; null: with what comes. */
  readonly since: number | null;
  readonly sink: LiveSink;
  /** What may be seen now. Asked when access changed. */
  readonly recheck: () => Promise<VisibleIntegrations>;
}

/**
 * One follower. What its connection cannot take is left out and said as a gap, so that it costs no more than a
 * megabyte and delays nobody.
 */
export class LiveStream {
  readonly request: LiveRequest;
  readonly #nowMs: () => number;
  readonly #end = new AbortController();
  visible: VisibleIntegrations;
  /** All up to this number was sent, or is in a gap. */
  position = 0;
  #gap: { readonly fromSeq: number; toSeq: number } | null = null;
  #sentBytes = 0;
  /** The most that the connection had taken, and when that was. */
  #takenBytes = 0;
  #takenMs: number;
  readonly #openedMs: number;

  constructor(request: LiveRequest, nowMs: () => number) {
    this.request = request;
    this.visible = request.visible;
    this.#nowMs = nowMs;
    this.#openedMs = nowMs();
    this.#takenMs = this.#openedMs;
  }

  /** Fires when the stream has ended. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  get ageMs(): number {
    return this.#nowMs() - this.#openedMs;
  }

  /** Whether as much waits as may. */
  get full(): boolean {
    return this.request.sink.bufferedBytes() > MAX_BUFFERED_BYTES;
  }

  /** Whether most of what was sent has left. */
  get drained(): boolean {
    return this.request.sink.bufferedBytes() <= RESUME_BUFFERED_BYTES;
  }

  /** @param message null when none of these numbers concerns the stream */
  deliver(message: LiveMessage | null, fromSeq: number, toSeq: number): void {
    if (this.ended.aborted) return;
    this.position = toSeq;
    this.settle();
    if (message === null) return;
    if (this.#gap !== null) this.#gap.toSeq = toSeq;
    else if (this.full) this.#gap = { fromSeq, toSeq };
    else this.send(message);
  }

  /** Whatever waits already. */
  send(message: LiveMessage): void {
    this.#sentBytes += message.json.length;
    this.request.sink.send(message);
  }

  /** Says that these records are left out, before anything later is sent. */
  skip(fromSeq: number, toSeq: number): void {
    this.position = toSeq;
    this.send(LiveMessage.gap(fromSeq, toSeq));
  }

  /** Says a gap as soon as there is room, and ends a stream that takes nothing. To be called often. */
  settle(): void {
    const buffered = this.request.sink.bufferedBytes();
    if (this.#gap !== null && buffered <= RESUME_BUFFERED_BYTES) {
      const { fromSeq, toSeq } = this.#gap;
      this.#gap = null;
      this.send(LiveMessage.gap(fromSeq, toSeq));
    }
    const taken = this.#sentBytes - buffered;
    if (buffered === 0 || taken > this.#takenBytes) {
      this.#takenBytes = taken;
      this.#takenMs = this.#nowMs();
    } else if (this.#nowMs() - this.#takenMs > STUCK_MS) this.end('stuck');
  }

  beat(): void {
    this.request.sink.beat(this.position);
  }

  /** @param reason null when the connection is gone already */
  end(reason: EndReason | null): void {
    if (this.ended.aborted) return;
    this.#end.abort();
    if (reason !== null) this.request.sink.close(reason);
  }
}
