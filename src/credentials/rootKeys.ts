import type { CryptoBackend, KeyMaterial } from './cryptoBackend.ts';
import { type Bytes, toBase64url, utf8 } from './encoding.ts';
import type { KdfParameters } from './envelopeFormat.ts';
import { BOX_BYTES } from './sealedBox.ts';

const MAX_ROOTS = 64;
const ROOT_TTL_MS = 15 * 60_000;

/**
 * The keys that PBKDF2 derives from one secret, each derived once and kept for 15 minutes; of more than 64, those
 * used longest ago are forgotten. The keys cannot be read back out of here.
 */
export class RootKeys {
  readonly #secret: Bytes;
  readonly #backend: CryptoBackend;
  /** In the order of use. */
  readonly #entries = new Map<string, Entry>();

  constructor(secret: string, backend: CryptoBackend) {
    this.#secret = utf8(secret);
    this.#backend = backend;
  }

  /** How many keys are kept. */
  get size(): number {
    return this.#entries.size;
  }

  async derive({ iterations, salt }: KdfParameters): Promise<KeyMaterial> {
    const name = `${iterations}.${toBase64url(salt)}`;
    const entry = this.#entries.get(name) ?? this.#start(name, iterations, salt);
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    for (const [oldName, old] of this.#entries) {
      if (this.#entries.size <= MAX_ROOTS) break;
      this.#forget(oldName, old);
    }
    try {
      return await entry.root;
    } catch (error) {
      this.#forget(name, entry);
      throw error;
    }
  }

  #start(name: string, iterations: number, salt: Bytes): Entry {
    const entry: Entry = {
      root: this.#derive(iterations, salt),
      timer: setTimeout(() => this.#forget(name, entry), ROOT_TTL_MS),
    };
    // Node would keep running for the timer; a browser's timer is a number and has no such method.
    (entry.timer as { unref?: () => void }).unref?.();
    return entry;
  }

  #forget(name: string, entry: Entry): void {
    clearTimeout(entry.timer);
    if (this.#entries.get(name) === entry) this.#entries.delete(name);
  }

  async #derive(iterations: number, salt: Bytes): Promise<KeyMaterial> {
    const bits = await this.#backend.pbkdf2(this.#secret, salt, iterations, BOX_BYTES.key);
    const material = await this.#backend.importKeyMaterial(bits);
    bits.fill(0);
    return material;
  }
}

interface Entry {
  /** Still being derived at first, so that concurrent callers share the work. */
  readonly root: Promise<KeyMaterial>;
  readonly timer: ReturnType<typeof setTimeout>;
}
