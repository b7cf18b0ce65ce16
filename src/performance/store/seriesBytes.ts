import { InvalidInputError } from '../../core/errors.ts';
import type { Histogram } from '../histogram.ts';
import { decodeHistogram, encodeHistogram } from '../histogramBytes.ts';
import { PHASES, type Phase } from '../types.ts';

export type PhaseHistograms = Map<Phase, Histogram>;

const HEADER_BYTES = 3;

/** The column `phases`: for each phase its place in PHASES (one byte), the length (two, little-endian), the histogram. */
export function encodePhases(phases: ReadonlyMap<Phase, Histogram>): Buffer {
  const pieces: Uint8Array[] = [];
  for (const [phase, histogram] of phases) {
    const bytes = encodeHistogram(histogram);
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt8(PHASES.indexOf(phase), 0);
    header.writeUInt16LE(bytes.length, 1);
    pieces.push(header, bytes);
  }
  return Buffer.concat(pieces);
}

/**
 * Phases of a later version are passed over.
 * @param only reads this phase alone
 * @throws InvalidInputError the bytes are not of that form
 */
export function decodePhases(bytes: Buffer, only?: Phase): PhaseHistograms {
  const phases: PhaseHistograms = new Map();
  for (let at = 0; at < bytes.length; ) {
    const end = at + HEADER_BYTES + (at + HEADER_BYTES <= bytes.length ? bytes.readUInt16LE(at + 1) : Number.NaN);
    if (!(end <= bytes.length)) throw malformed();
    const phase = PHASES[bytes[at]!];
    if (phase !== undefined && (only === undefined || only === phase)) {
      phases.set(phase, decodeHistogram(bytes.subarray(at + HEADER_BYTES, end)));
    }
    at = end;
  }
  return phases;
}

/** Adds every histogram of `from` to those of `into`. */
export function mergePhases(into: PhaseHistograms, from: PhaseHistograms): void {
  for (const [phase, histogram] of from) {
    const known = into.get(phase);
    if (known === undefined) into.set(phase, histogram);
    else known.merge(histogram);
  }
}

function malformed(): InvalidInputError {
  const detail = 'they end within a histogram';
  return new InvalidInputError(`These bytes are no phases: ${detail}.`, [{ pointer: '', detail }]);
}
