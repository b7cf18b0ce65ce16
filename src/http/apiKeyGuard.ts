import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../core/clock.ts';
import { networkOf } from '../core/network.ts';
import { TooManyFailedAttemptsError, UnauthenticatedError } from './errors.ts';

const MAX_FAILURES = 30;
const WINDOW_MS = 60_000;
const MAX_ADDRESSES = 10_000;

interface Failures {
  count: number;
  readonly untilMs: number;
}

/**
 * Lets a request in that carries the API key.
 *
 * Failures are counted by address, 30 a minute; further ones get 429. The right key is never locked out: an
 * address is shared by everybody behind a proxy, and a key is random and at least 32 characters long, so the
 * limit is there to keep floods cheap and visible, not to stop guessing.
 */
export class ApiKeyGuard {
  readonly #keyHash: Buffer;
  readonly #clock: Clock;
  readonly #failures = new LRUCache<string, Failures>({ max: MAX_ADDRESSES });

  constructor(apiKey: string, clock: Clock) {
    this.#keyHash = sha256(apiKey);
    this.#clock = clock;
  }

  /** @throws UnauthenticatedError, TooManyFailedAttemptsError */
  check(headers: IncomingHttpHeaders, address: string): void {
    const key = presentedKey(headers);
    // Hashes have one length whatever was sent, so the comparison takes the same time for every wrong key.
    if (key !== undefined && timingSafeEqual(sha256(key), this.#keyHash)) return;
    const waitMs = this.#countFailure(networkOf(address));
    if (waitMs > 0) throw new TooManyFailedAttemptsError(Math.ceil(waitMs / 1000));
    throw new UnauthenticatedError(key !== undefined);
  }

  /** Milliseconds until failures of this network are answered again; 0 while they are. */
  #countFailure(from: string): number {
    const nowMs = this.#clock.monotonicMs();
    let failures = this.#failures.get(from);
    if (failures === undefined || failures.untilMs <= nowMs) {
      failures = { count: 0, untilMs: nowMs + WINDOW_MS };
      this.#failures.set(from, failures);
    }
    return ++failures.count > MAX_FAILURES ? failures.untilMs - nowMs : 0;
  }
}

function presentedKey(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  const header = headers['x-api-key'];
  return bearer ?? (typeof header === 'string' && header !== '' ? header : undefined);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
