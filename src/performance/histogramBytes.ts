import { InvalidInputError } from '../core/errors.ts';
import { HIGHEST_INDEX, Histogram, type HistogramParts, LOWEST_INDEX } from './histogram.ts';

const VERSION = 1;
const HEADER_BYTES = 1 + 3 * 8;
/** Of one varint: 2^53 takes eight. */
const MAX_VARINT_BYTES = 8;

/**
 * The compact form: a version byte; sum, smallest and largest as little-endian doubles; then varints (LEB128): zeros,
 * the first bucket counted from the lowest there is, and the counts, where a 0 is followed by how many more zeros come.
 */
export function encodeHistogram(histogram: Histogram): Uint8Array {
  const { zeros, sum, min, max, firstIndex, counts } = histogram.parts();
  const bytes: number[] = [];
  writeVarint(bytes, zeros);
  if (counts.length > 0) writeVarint(bytes, firstIndex - LOWEST_INDEX);
  for (let at = 0; at < counts.length; at++) {
    writeVarint(bytes, counts[at]!);
    if (counts[at] !== 0) continue;
    const start = at;
    while (counts[at + 1] === 0) at++;
    writeVarint(bytes, at - start);
  }
  const encoded = new Uint8Array(HEADER_BYTES + bytes.length);
  const view = new DataView(encoded.buffer);
  view.setUint8(0, VERSION);
  for (const [at, value] of [sum, min, max].entries()) view.setFloat64(1 + 8 * at, value, true);
  encoded.set(bytes, HEADER_BYTES);
  return encoded;
}

/** @throws InvalidInputError the bytes are no histogram of this version */
export function decodeHistogram(bytes: Uint8Array): Histogram {
  return Histogram.of(decodeParts(bytes));
}

/** Adds what the bytes hold, without making a histogram of it. @throws InvalidInputError as above */
export function mergeEncoded(into: Histogram, bytes: Uint8Array): void {
  into.mergeParts(decodeParts(bytes));
}

/** Used again by each call, so its parts are good until the next one. */
const decoded = new Float64Array(HIGHEST_INDEX - LOWEST_INDEX + 1);

function decodeParts(bytes: Uint8Array): HistogramParts {
  if (bytes.length <= HEADER_BYTES) throw malformed('they end too early');
  if (bytes[0] !== VERSION) throw malformed(`version ${bytes[0]} is not known, only ${VERSION}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sum = view.getFloat64(1, true);
  const min = view.getFloat64(9, true);
  const max = view.getFloat64(17, true);
  const reader = { bytes, at: HEADER_BYTES };
  const zeros = readVarint(reader);
  const firstIndex = reader.at < bytes.length ? readVarint(reader) + LOWEST_INDEX : LOWEST_INDEX;
  let length = 0;
  let isEmpty = zeros === 0;
  while (reader.at < bytes.length) {
    const count = readVarint(reader);
    const more = count === 0 ? readVarint(reader) : 0;
    if (firstIndex + length + more > HIGHEST_INDEX) throw malformed('there are more buckets than exist');
    if (count !== 0) isEmpty = false;
    decoded[length] = count;
    decoded.fill(0, length + 1, length + 1 + more);
    length += 1 + more;
  }
  const fits = isEmpty ? sum === 0 && min > max : min >= 0 && min <= max && sum >= 0 && Number.isFinite(max);
  if (!fits) throw malformed('sum, smallest and largest value contradict the counts');
  return { zeros, sum, min, max, firstIndex, counts: decoded.subarray(0, length) };
}

function writeVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}

function readVarint(reader: { readonly bytes: Uint8Array; at: number }): number {
  let value = 0;
  let scale = 1;
  for (let place = 0; place < MAX_VARINT_BYTES; place++) {
    const byte = reader.bytes[reader.at++];
    if (byte === undefined) throw malformed('they end within a number');
    value += (byte & 127) * scale;
    scale *= 128;
    if (byte < 128) {
      if (value > Number.MAX_SAFE_INTEGER) break;
      return value;
    }
  }
  throw malformed('a number is too large');
}

function malformed(detail: string): InvalidInputError {
  return new InvalidInputError(`These bytes are no histogram: ${detail}.`, [{ pointer: '', detail }]);
}
