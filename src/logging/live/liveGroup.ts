import type { IntegrationRef } from '../../access/types.ts';
import type { VisibleIntegrations } from '../../integrations/visibleIntegrations.ts';
import { filterPredicate } from '../search/matches.ts';
import type { IntegrationLog } from '../types.ts';
import type { LiveStream } from './liveStream.ts';
import type { TailBatch } from './logTail.ts';
import { LiveMessage } from './messages.ts';
import { sees } from './visibility.ts';

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
    const chosen: string[] = [];
    for (const log of batch.logs) {
      if (this.#integrationId !== null && log.integrationId !== this.#integrationId) continue;
      if (!sees(this.visible, refs.get(log.integrationId)) || !this.#matches(log)) continue;
      let text = texts.get(log.seq);
      if (text === undefined) {
        text = JSON.stringify(log);
        texts.set(log.seq, text);
      }
      chosen.push(text);
    }
    const message = chosen.length === 0 ? null : LiveMessage.logs(chosen, batch.toSeq);
    this.#deliver(batch, (stream) =>
      stream.deliver(message, Math.max(batch.fromSeq, stream.position + 1), batch.toSeq),
    );
  }

  /** Leaves the batch out, as a gap. */
  skip(batch: TailBatch): void {
    this.#deliver(batch, (stream) => stream.skip(stream.position + 1, batch.toSeq));
  }

  #deliver(batch: TailBatch, act: (stream: LiveStream) => void): void {
    // A stream that joined while the batch was on its way has it already.
    for (const stream of [...this.streams]) if (stream.position < batch.toSeq) act(stream);
  }
}
