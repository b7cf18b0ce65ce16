import type { Transform } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib';

/** More codings on top of each other than anybody uses. */
const MAX_CODINGS = 2;
/** What a coding may add to a body that cannot be compressed. */
const CODING_OVERHEAD_BYTES = 64 * 1024;
/** RFC 9659: a zstd content coding needs at most a window of 8 MB. */
const ZSTD_WINDOW_LOG_MAX = 23;
/** RFC 1950: the low half of the first byte is the method, and 8 is the only one. */
const ZLIB_METHOD = 8;
const MIN_GROWTH_BYTES = 64 * 1024;

/** Sent as Accept-Encoding: what `ResponseBody` can undo. */
export const ACCEPTED_CODINGS = 'gzip, deflate, br, zstd';

/** Why a body could not be taken. */
export type BodyFault = 'too_large' | 'unknown_coding' | 'corrupt';

interface Listener {
  /** The whole decoded body. */
  complete(body: Buffer): void;
  /** Nothing further is called after this. */
  failed(fault: BodyFault): void;
  /** More may be written after `write` answered false. */
  drained(): void;
}

/**
 * Collects a response body, undoing its content codings as it arrives. The limit is on the *decoded* bytes and is
 * checked with every piece (at most 64 KB), so a small body that unpacks to gigabytes is given up at the limit. What
 * comes on the wire and between two codings may hardly be more: a coding can be fed for ever and give nothing.
 */
export class ResponseBody {
  readonly #codings: readonly string[];
  readonly #maxBytes: number;
  readonly #listener: Listener;
  /** One growing buffer: a list would let a body of one-byte chunks cost a hundred times its size. */
  #body: Buffer = Buffer.alloc(0);
  #sizeBytes = 0;
  #wireBytes = 0;
  /** The first decoder takes the bytes of the wire, the last gives the body; empty without a coding. */
  #decoders: Transform[] | null = null;
  #ended = false;

  constructor(contentEncoding: string | undefined, maxBytes: number, listener: Listener) {
    this.#codings = parseCodings(contentEncoding);
    this.#maxBytes = maxBytes;
    this.#listener = listener;
  }

  /** False asks to wait for `drained`. */
  write(chunk: Buffer): boolean {
    if (this.#ended || chunk.length === 0) return true;
    this.#wireBytes += chunk.length;
    if (this.#isTooMuch(this.#wireBytes)) return true;
    this.#decoders ??= this.#open(chunk[0]!);
    if (this.#ended) return true;
    const [first] = this.#decoders;
    if (first !== undefined) return first.write(chunk);
    this.#keep(chunk);
    return true;
  }

  end(): void {
    if (this.#ended) return;
    const [first] = this.#decoders ?? [];
    if (first === undefined) this.#complete();
    else first.end();
  }

  /** Frees the decoders; nothing is called any more. */
  destroy(): void {
    this.#ended = true;
    this.#body = Buffer.alloc(0);
    for (const decoder of this.#decoders ?? []) decoder.destroy();
  }

  /** Opened at the first byte, because only that tells the two kinds of deflate apart. */
  #open(firstByte: number): Transform[] {
    const decoders: Transform[] = [];
    for (const [index, coding] of this.#codings.entries()) {
      const bare = index === 0 && (firstByte & 0x0f) !== ZLIB_METHOD;
      const decoder = this.#codings.length > MAX_CODINGS ? null : createDecoder(coding, bare);
      if (decoder === null) {
        this.#fail('unknown_coding');
        return [];
      }
      decoder.on('error', () => this.#fail('corrupt'));
      const outer = decoders.at(-1);
      if (outer !== undefined) this.#connect(outer, decoder);
      decoders.push(decoder);
    }
    decoders[0]?.on('drain', () => this.#ended || this.#listener.drained());
    decoders
      .at(-1)
      ?.on('data', (piece: Buffer) => this.#keep(piece))
      .on('end', () => this.#complete());
    return decoders;
  }

  #connect(outer: Transform, inner: Transform): void {
    let passedBytes = 0;
    outer.pipe(inner);
    outer.on('data', (piece: Buffer) => {
      passedBytes += piece.length;
      this.#isTooMuch(passedBytes);
    });
  }

  /** Of bytes that are still encoded. */
  #isTooMuch(encodedBytes: number): boolean {
    if (encodedBytes <= this.#maxBytes + CODING_OVERHEAD_BYTES) return false;
    this.#fail('too_large');
    return true;
  }

  #keep(piece: Buffer): void {
    if (this.#ended) return;
    const sizeBytes = this.#sizeBytes + piece.length;
    if (sizeBytes > this.#maxBytes) {
      this.#fail('too_large');
      return;
    }
    if (this.#sizeBytes === 0) this.#body = piece;
    else {
      if (sizeBytes > this.#body.length) this.#grow(sizeBytes);
      piece.copy(this.#body, this.#sizeBytes);
    }
    this.#sizeBytes = sizeBytes;
  }

  #grow(neededBytes: number): void {
    const roomBytes = Math.min(this.#maxBytes, Math.max(neededBytes, this.#body.length * 2, MIN_GROWTH_BYTES));
    const grown = Buffer.allocUnsafe(roomBytes);
    this.#body.copy(grown, 0, 0, this.#sizeBytes);
    this.#body = grown;
  }

  #complete(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#listener.complete(this.#body.subarray(0, this.#sizeBytes));
  }

  #fail(fault: BodyFault): void {
    if (this.#ended) return;
    this.destroy();
    this.#listener.failed(fault);
  }
}

/** In the order to undo them: the last one applied first. */
function parseCodings(contentEncoding = ''): string[] {
  return contentEncoding
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity')
    .reverse();
}

function createDecoder(coding: string, bareDeflate: boolean): Transform | null {
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      // RFC 9110 means the zlib format; some servers send bare deflate.
      return bareDeflate ? createInflateRaw() : createInflate();
    case 'br':
      return createBrotliDecompress();
    case 'zstd':
      return createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX } });
    default:
      return null;
  }
}
