/** Of each message only so much is kept: where its numbers and the time of its first record are. */
const KEPT_BYTES = 512;
const PING = 9;

/**
 * Reads what a WebSocket server sends, unmasked and in whole messages, and looks at the beginnings only: so that 200
 * clients leave the processors to the server that is measured.
 */
export class FrameReader {
  readonly #onMessage: (beginning: Buffer, length: number) => void;
  readonly #onPing: () => void;
  readonly #header = Buffer.alloc(10);
  #headerBytes = 0;
  readonly #beginning = Buffer.alloc(KEPT_BYTES);
  #kept = 0;
  /** Of the message that is being read; -1 while its header is. */
  #length = -1;
  #left = 0;

  constructor(onMessage: (beginning: Buffer, length: number) => void, onPing: () => void) {
    this.#onMessage = onMessage;
    this.#onPing = onPing;
  }

  take(bytes: Buffer, from: number, to: number): void {
    for (let at = from; at < to; ) {
      if (this.#length === -1) {
        this.#header[this.#headerBytes++] = bytes[at++]!;
        this.#begin();
        continue;
      }
      const count = Math.min(this.#left, to - at);
      const kept = Math.min(count, KEPT_BYTES - this.#kept);
      if (kept > 0) this.#kept += bytes.copy(this.#beginning, this.#kept, at, at + kept);
      at += count;
      this.#left -= count;
      if (this.#left === 0) this.#end();
    }
  }

  #begin(): void {
    const size = this.#header[1]! & 0x7f;
    const needed = size === 127 ? 10 : size === 126 ? 4 : 2;
    if (this.#headerBytes < needed) return;
    this.#length = size === 127 ? this.#header.readUIntBE(4, 6) : size === 126 ? this.#header.readUInt16BE(2) : size;
    this.#left = this.#length;
    this.#kept = 0;
    if (this.#left === 0) this.#end();
  }

  #end(): void {
    if ((this.#header[0]! & 0x0f) === PING) this.#onPing();
    else this.#onMessage(this.#beginning.subarray(0, this.#kept), this.#length);
    this.#headerBytes = 0;
    this.#length = -1;
  }
}
