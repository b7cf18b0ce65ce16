import { lowBytes } from './lowBytes.ts';
import { base64Parts, formsOf } from './secretForms.ts';

/** Stands where a secret was. */
export const REDACTED = '[redacted]';
/** Characters of the piece by which a form is found; what is shorter is not looked for. */
const PIECE_CHARS = 6;
const MAX_SECRET_CHARS = 16_384;
const MAX_SECRETS = 10_000;
/** Each character of a piece moves the hash of those before it on, until after six of them they have left these bits. */
const SHIFT = 5;
const HASH_BITS = 2 ** (SHIFT * PIECE_CHARS) - 1;
/** Bits, of which a piece's hash picks one. */
const FILTER_BITS = 2 ** 20;

interface Form {
  readonly text: string;
  /** Where in it the piece begins. */
  readonly offset: number;
}

/**
 * Finds secrets whose values are known, in all their forms, in one pass over a text however many there are: the
 * search of Karp and Rabin, by a piece of each form that few others share. Holds the 10,000 that were added last.
 */
export class KnownSecrets {
  readonly #secrets = new Set<string>();
  #forms = new Map<number, Form[]>();
  #filter = new Uint8Array(0);
  #revision = 0;

  /** Changes when there is something new to look for. */
  get revision(): number {
    return this.#revision;
  }

  get size(): number {
    return this.#secrets.size;
  }

  /** Forgets all of them, as a process that begins anew does. */
  clear(): void {
    this.#secrets.clear();
    this.#forms = new Map();
    this.#filter = new Uint8Array(0);
    this.#revision += 1;
  }

  /** Looks for this value from now on. One of fewer than six characters would be found by accident: it is passed over. */
  add(secret: string): void {
    if (secret.length < PIECE_CHARS || secret.length > MAX_SECRET_CHARS) return;
    if (this.#secrets.delete(secret)) {
      // Known already, and used again: the last to be forgotten.
      this.#secrets.add(secret);
      return;
    }
    this.#secrets.add(secret);
    if (this.#secrets.size > MAX_SECRETS) this.#forgetOldest();
    else this.#index(secret);
  }

  /**
   * The text with `[redacted]` in place of every form of every secret.
   * @param bytes those of the text (`lowBytes`)
   */
  hide(text: string, bytes = lowBytes(text)): string {
    const found = this.#find(text, bytes);
    if (found === null) return text;
    let shown = '';
    let end = 0;
    for (const [from, to] of found.sort((one, other) => one[0] - other[0])) {
      // Overlapping ones are hidden as one.
      if (from >= end) shown += text.slice(end, from) + REDACTED;
      end = Math.max(end, to);
    }
    return shown + text.slice(end);
  }

  #find(text: string, bytes: Uint8Array): [number, number][] | null {
    if (this.#secrets.size === 0 || text.length < PIECE_CHARS) return null;
    let found: [number, number][] | null = null;
    const filter = this.#filter;
    const { length } = text;
    let hash = 0;
    for (let at = 0; at < length; at++) {
      hash = ((hash << SHIFT) + bytes[at]!) & HASH_BITS;
      const bit = bitOf(hash);
      if ((filter[bit >>> 3]! & (1 << (bit & 7))) === 0) continue;
      for (const form of this.#forms.get(hash) ?? []) {
        const from = at - PIECE_CHARS + 1 - form.offset;
        if (from < 0 || !text.startsWith(form.text, from)) continue;
        found ??= [];
        found.push([from, from + form.text.length]);
      }
    }
    return found;
  }

  #index(secret: string): void {
    this.#revision += 1;
    if (this.#filter.length === 0) this.#filter = new Uint8Array(FILTER_BITS / 8);
    for (const text of new Set([...formsOf(secret), ...base64Parts(secret)])) {
      if (text.length < PIECE_CHARS) continue;
      const { hash, offset } = this.#rarestPiece(text);
      const forms = this.#forms.get(hash);
      if (forms === undefined) this.#forms.set(hash, [{ text, offset }]);
      else forms.push({ text, offset });
      const bit = bitOf(hash);
      this.#filter[bit >>> 3]! |= 1 << (bit & 7);
    }
  }

  /** Many secrets begin alike (`sk_live_`): taken is the piece that the fewest others are found by. */
  #rarestPiece(text: string): { hash: number; offset: number } {
    let best = { hash: 0, offset: 0 };
    let fewest = Number.POSITIVE_INFINITY;
    for (let offset = 0; offset <= text.length - PIECE_CHARS && fewest > 0; offset++) {
      const hash = hashOf(text, offset);
      const others = this.#forms.get(hash)?.length ?? 0;
      if (others < fewest) {
        best = { hash, offset };
        fewest = others;
      }
    }
    return best;
  }

  #forgetOldest(): void {
    const kept = [...this.#secrets].slice(-MAX_SECRETS / 2);
    this.clear();
    for (const secret of kept) {
      this.#secrets.add(secret);
      this.#index(secret);
    }
  }
}

function hashOf(text: string, offset: number): number {
  let hash = 0;
  for (let at = offset; at < offset + PIECE_CHARS; at++)
    hash = ((hash << SHIFT) + (text.charCodeAt(at) & 0xff)) & HASH_BITS;
  return hash;
}

/** Spread over the filter: hashes of letters have much in common. */
function bitOf(hash: number): number {
  return Math.imul(hash, 0x9e3779b1) >>> 12;
}

/**
 * Every secret value that this process has had in the clear: credentials it opened or sealed, tokens it was issued,
 * its own configuration. One for the process, because what it writes is one, too, however many apps are open in it.
 */
export const liveSecrets = new KnownSecrets();
