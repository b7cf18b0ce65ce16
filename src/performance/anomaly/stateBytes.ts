import { InvalidInputError } from '../../core/errors.ts';

/**
 * Goes through the state of a detector, to write it or to read it. Each method takes the value that is held and gives
 * back the one to hold: when writing the same, when reading what was written. So one walk over the fields serves both
 * ways, and they cannot disagree about their order.
 */
export interface StateIo {
  number(held: number): number;
  /** In place. */
  doubles(held: Float64Array): void;
  bytes(held: Uint8Array): void;
  /** Counts of which most are 0 from some place on. */
  counts(held: Float32Array): void;
}

export class StateWriter implements StateIo {
  readonly #pieces: Uint8Array[] = [];

  number(held: number): number {
    this.doubles(Float64Array.of(held));
    return held;
  }

  doubles(held: Float64Array): void {
    const piece = Buffer.alloc(8 * held.length);
    for (const [at, value] of held.entries()) piece.writeDoubleLE(value, 8 * at);
    this.#pieces.push(piece);
  }

  bytes(held: Uint8Array): void {
    this.#pieces.push(Uint8Array.from(held));
  }

  counts(held: Float32Array): void {
    let length = held.length;
    while (length > 0 && held[length - 1] === 0) length--;
    const piece = Buffer.alloc(2 + 4 * length);
    piece.writeUInt16LE(length, 0);
    for (let at = 0; at < length; at++) piece.writeFloatLE(held[at]!, 2 + 4 * at);
    this.#pieces.push(piece);
  }

  /** Everything written so far. */
  finish(): Uint8Array {
    return Uint8Array.from(Buffer.concat(this.#pieces));
  }
}

export class StateReader implements StateIo {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  number(): number {
    return this.#bytes.readDoubleLE(this.#take(8));
  }

  doubles(held: Float64Array): void {
    for (let at = 0; at < held.length; at++) held[at] = this.number();
  }

  bytes(held: Uint8Array): void {
    const start = this.#take(held.length);
    held.set(this.#bytes.subarray(start, start + held.length));
  }

  counts(held: Float32Array): void {
    const length = this.#bytes.readUInt16LE(this.#take(2));
    if (length > held.length) throw malformed('it has more bins than exist');
    held.fill(0);
    for (let at = 0; at < length; at++) held[at] = this.#bytes.readFloatLE(this.#take(4));
  }

  /** @throws InvalidInputError something is left */
  finish(): void {
    if (this.#at !== this.#bytes.length) throw malformed('it is longer than its state');
  }

  #take(length: number): number {
    const start = this.#at;
    if (start + length > this.#bytes.length) throw malformed('it ends too early');
    this.#at = start + length;
    return start;
  }
}

export function malformed(detail: string): InvalidInputError {
  return new InvalidInputError(`These bytes are no snapshot of an anomaly detector: ${detail}.`, [
    { pointer: '/snapshot', detail },
  ]);
}
