/** Bytes of their own buffer, as Web Crypto takes them. */
export type Bytes = Uint8Array<ArrayBuffer>;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const VALUES = new Uint8Array(128).fill(0xff);
for (let value = 0; value < 64; value++) VALUES[ALPHABET.charCodeAt(value)] = value;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/** @throws TypeError for bytes that are not UTF-8. */
export function fromUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** RFC 4648 §5 without padding. */
export function toBase64url(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const group = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text += ALPHABET[group >> 18]! + ALPHABET[(group >> 12) & 63]!;
    if (left > 1) text += ALPHABET[(group >> 6) & 63]!;
    if (left > 2) text += ALPHABET[group & 63]!;
  }
  return text;
}

/**
 * The bytes of the one canonical base64url text, or null. Padding, other characters and set unused bits are
 * refused: two texts must never mean the same bytes, else a changed text could pass as unchanged.
 */
export function fromBase64url(text: string): Bytes | null {
  const rest = text.length % 4;
  if (rest === 1) return null;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let buffered = 0;
  let bits = 0;
  let at = 0;
  for (let index = 0; index < text.length; index++) {
    const value = VALUES[text.charCodeAt(index)] ?? 0xff;
    if (value === 0xff) return null;
    buffered = ((buffered << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = buffered >> bits;
    }
  }
  return (buffered & ((1 << bits) - 1)) === 0 ? bytes : null;
}

/** `prefix`, then each part behind its length in four bytes, so that no two lists of parts give the same bytes. */
export function lengthPrefixed(prefix: Uint8Array, parts: readonly (string | Uint8Array)[]): Bytes {
  // A UTF-16 unit takes at most three bytes of UTF-8.
  const most = parts.reduce((sum, part) => sum + 4 + part.length * (typeof part === 'string' ? 3 : 1), prefix.length);
  const bytes = new Uint8Array(most);
  const view = new DataView(bytes.buffer);
  bytes.set(prefix);
  let at = prefix.length;
  for (const part of parts) {
    const body = bytes.subarray(at + 4);
    const length = typeof part === 'string' ? encoder.encodeInto(part, body).written : part.length;
    if (typeof part !== 'string') body.set(part);
    view.setUint32(at, length);
    at += 4 + length;
  }
  return bytes.slice(0, at);
}

/** Looks at every byte whatever it finds, so that the time taken tells nothing of where they differ. */
export function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let index = 0; index < a.length; index++) difference |= a[index]! ^ b[index]!;
  return difference === 0;
}
