/**
 * What a stream sends. One is made for everybody who is sent the same, and each of its two forms once: a JSON text for
 * WebSockets, an event for Server-Sent Events.
 */
export class LiveMessage {
  readonly json: Buffer;
  readonly #event: 'logs' | 'gap';
  readonly #seq: number;
  #sse: Buffer | null = null;

  private constructor(event: 'logs' | 'gap', json: string, seq: number) {
    this.#event = event;
    this.json = Buffer.from(json);
    this.#seq = seq;
  }

  /**
   * Records, each as JSON text.
   * @param seq all up to this number was looked at: where to resume
   */
  static logs(texts: readonly string[], seq: number): LiveMessage {
    return new LiveMessage('logs', `{"seq":${seq},"logs":[${texts.join(',')}]}`, seq);
  }

  /** Records from one number to another, both included, were left out. */
  static gap(fromSeq: number, toSeq: number): LiveMessage {
    return new LiveMessage('gap', JSON.stringify({ gap: true, fromSeq, toSeq }), toSeq);
  }

  get sse(): Buffer {
    this.#sse ??= Buffer.concat([
      Buffer.from(`event: ${this.#event}\nid: ${this.#seq}\ndata: `),
      this.json,
      Buffer.from('\n\n'),
    ]);
    return this.#sse;
  }
}
