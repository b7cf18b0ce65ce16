/** OIDs of the element types, from PostgreSQL's pg_type.dat. */
const ELEMENT_OIDS = { bytea: 17, int2: 21, text: 25, jsonb: 3802 } as const;

const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const JSONB_VERSION = 1;
const FIRST_SIZE_BYTES = 16 * 1024;
/** A buffer above this is given back when the array is used again. */
const KEPT_SIZE_BYTES = 8 * 1024 * 1024;

/**
 * A PostgreSQL array in its binary form (array_send in the server's arrayfuncs.c): dimensions, null flag, element
 * type, length, lower bound, then each element with its length. The driver sends a Buffer as it is, so neither
 * side escapes and parses the quotes that JSON is full of. Elements are written into one buffer as they come and
 * the buffer is used again, so a record leaves no objects behind that live as long as its batch.
 */
export class BinaryArray {
  readonly #elementOid: number;
  readonly #prefixBytes: number;
  #buffer = Buffer.allocUnsafeSlow(FIRST_SIZE_BYTES);
  #offset = HEADER_BYTES;
  #count = 0;

  constructor(elementType: keyof typeof ELEMENT_OIDS) {
    this.#elementOid = ELEMENT_OIDS[elementType];
    this.#prefixBytes = elementType === 'jsonb' ? 1 : 0;
  }

  /** Adds a text, or a text with a character a byte; gives its size in bytes. */
  push(text: string, encoding: 'utf8' | 'latin1'): number {
    // A character of JavaScript takes at most three bytes of UTF-8.
    this.#reserve(LENGTH_BYTES + this.#prefixBytes + text.length * 3);
    const start = this.#offset + LENGTH_BYTES;
    if (this.#prefixBytes > 0) this.#buffer.writeUInt8(JSONB_VERSION, start);
    const textBytes = this.#buffer.write(text, start + this.#prefixBytes, encoding);
    this.#buffer.writeInt32BE(this.#prefixBytes + textBytes, this.#offset);
    this.#offset = start + this.#prefixBytes + textBytes;
    this.#count += 1;
    return textBytes;
  }

  pushInt2(value: number): void {
    this.#reserve(LENGTH_BYTES + 2);
    this.#offset = this.#buffer.writeInt32BE(2, this.#offset);
    this.#offset = this.#buffer.writeInt16BE(value, this.#offset);
    this.#count += 1;
  }

  /** Replaces an element of an array of int2. */
  setInt2(index: number, value: number): void {
    this.#buffer.writeInt16BE(value, HEADER_BYTES + index * (LENGTH_BYTES + 2) + LENGTH_BYTES);
  }

  /** The array as a parameter; good until the next `clear`. */
  toParameter(): Buffer {
    const header = [1, 0, this.#elementOid, this.#count, 1];
    for (const [index, value] of header.entries()) this.#buffer.writeInt32BE(value, index * 4);
    return this.#buffer.subarray(0, this.#offset);
  }

  clear(): void {
    if (this.#buffer.length > KEPT_SIZE_BYTES) this.#buffer = Buffer.allocUnsafeSlow(FIRST_SIZE_BYTES);
    this.#offset = HEADER_BYTES;
    this.#count = 0;
  }

  #reserve(bytes: number): void {
    const neededBytes = this.#offset + bytes;
    if (neededBytes <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(neededBytes, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#offset);
    this.#buffer = grown;
  }
}
