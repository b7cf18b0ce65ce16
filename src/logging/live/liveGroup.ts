import type { IntegrationRef } from '../../access/types.ts';
import type { VisibleIntegrations } from '../../integrations/visibleIntegrations.ts';
import { filterPredicate } from '../search/matches.ts';
import type { IntegrationLog } from '../types.ts';
import type { LiveStream } from './liveStream.ts';
import type { TailBatch } from './logTail.ts';
import { LiveMessage } from './messages.ts';
import { sees } from './visibility.ts';

/** A message is no longer than this and a record more, so that what waits for a connection is bounded finely. */
const MESSAGE_CHARS = 128 * 1024;

/** Streams that show the same: what they are sent is chosen and written once for all of them. */
export class LiveGroup {
  readonly streams = new Set<LiveStream>();
  readonly visible: VisibleIntegrations;
  readonly #integrationId: string | null;
  readonly #matches: (log: IntegrationLog) => boolean;

  constructor({ request, visible }: LiveStream) {
    this.visible = visible;
    this.#integrationId = request.integrationId;
    this.#matches = filterPredicate(request.filter);
  }

  static keyOf({ request, visible }: LiveStream): string {
    return JSON.stringify([request.filter, request.integrationId, visible]);
  }

  /** @param texts the JSON of records by their number, as far as it was made for other groups */
  broadcast(batch: TailBatch, refs: ReadonlyMap<string, IntegrationRef>, texts: Map<number, string>): void {
    let chosen: string[] = [];
    let chars = 0;
    let { fromSeq } = batch;
    for (const log of batch.logs) {
      if (this.#integrationId !== null && log.integrationId !== this.#integrationId) continue;
      if (!sees(this.visible, refs.get(log.integrationId)) || !this.#matches(log)) continue;
      let text = texts.get(log.seq);
      if (text === undefined) {
        text = JSON.stringify(log);
        texts.set(log.seq, text);
      }
      chosen.push(text);
      chars += text.length;
      if (chars < MESSAGE_CHARS) continue;
      this.#deliver(LiveMessage.logs(chosen, log.seq), fromSeq, log.seq);
      chosen = [];
      chars = 0;
      fromSeq = log.seq + 1;
    }
    const rest = chosen.length === 0 ? null : LiveMessage.logs(chosen, batch.toSeq);
    this.#deliver(rest, fromSeq, batch.toSeq);
  }

  /** Leaves the batch out, as a gap. */
  skip({ toSeq }: TailBatch): void {
    for (const stream of this.#behind(toSeq)) stream.skip(stream.position + 1, toSeq);
  }

  #deliver(message: LiveMessage | null, fromSeq: number, toSeq: number): void {
    for (const stream of this.#behind(toSeq)) stream.deliver(message, Math.max(fromSeq, stream.position + 1), toSeq);
  }

  /** A stream that joined while a batch was on its way has it already. */
  #behind(toSeq: number): LiveStream[] {
    return [...this.streams].filter(({ position }) => position < toSeq);
  }
}
