import type { LogFilter } from '../search/filter.ts';

/** A kilobyte for a block: small beside the block itself, and inline in its row. */
const BITS_EXPONENT = 13;
const UNIT_CHARS = 3;

/** The bits of texts: one for each three characters that follow each other, whatever the case of A to Z. */
export function wordBits(text: string): Buffer {
  const bits = Buffer.alloc(2 ** BITS_EXPONENT / 8);
  eachBit(text, (bit) => {
    bits[bit >>> 3]! |= 1 << (bit & 7);
  });
  return bits;
}

/**
 * The bits that every block has which holds a record of the filter; none when nothing can be told, as where a word is
 * one of several that may be there, or is shorter than three characters.
 */
export function requiredBits(filter: LogFilter): number[] {
  const bits = new Set<number>();
  for (const word of requiredWords(filter)) eachBit(word, (bit) => bits.add(bit));
  return [...bits];
}

function requiredWords(filter: LogFilter): string[] {
  if (filter.kind === 'and') return filter.parts.flatMap(requiredWords);
  return filter.kind === 'message' ? filter.contains.filter((part) => typeof part === 'string') : [];
}

function eachBit(text: string, found: (bit: number) => void): void {
  let unit = 0;
  for (let at = 0; at < text.length; at++) {
    unit = ((unit << 8) ^ lowerCase(text.charCodeAt(at))) & 0xffffff;
    if (at >= UNIT_CHARS - 1) found(Math.imul(unit, 0x9e3779b1) >>> (32 - BITS_EXPONENT));
  }
}

function lowerCase(code: number): number {
  return code >= 65 && code <= 90 ? code + 32 : code;
}
