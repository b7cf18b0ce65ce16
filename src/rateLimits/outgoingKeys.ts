import { RateBudgetExceededError } from './errors.ts';
import { OutgoingKey } from './outgoingKey.ts';
import type { OutgoingUse, RateLimitUse } from './types.ts';

/** Keys remembered at once; those that say nothing any more are forgotten all along. */
const MAX_KEYS = 100_000;
/** A key that nobody asked for this long is forgotten when it says nothing. */
const UNUSED_MS = 600_000;
/** Keys looked at for every key added, and when there are too many. */
const LOOKED_AT = 2;
const LOOKED_AT_WHEN_FULL = 100;

/** The integrations whose outgoing calls this process knows, bounded. */
export class OutgoingKeys {
  readonly #keys = new Map<string, OutgoingKey>();
  #sweep = this.#keys.entries();
  /** Also of keys that were forgotten. */
  allowed = 0;
  refused = 0;

  get size(): number {
    return this.#keys.size;
  }

  find(id: string): OutgoingKey | undefined {
    return this.#keys.get(id);
  }

  /** @throws RateBudgetExceededError when too many keys wait or are paused at once */
  of(id: string, nowMs: number): OutgoingKey {
    const known = this.#keys.get(id);
    if (known !== undefined) {
      known.usedAtMs = nowMs;
      return known;
    }
    this.#forget(LOOKED_AT, nowMs, UNUSED_MS);
    if (this.#keys.size >= MAX_KEYS) this.#forget(LOOKED_AT_WHEN_FULL, nowMs, 0);
    if (this.#keys.size >= MAX_KEYS) {
      throw new RateBudgetExceededError(`More than ${MAX_KEYS} keys are limited at once; try again later.`, 1_000);
    }
    const key = new OutgoingKey(id);
    key.usedAtMs = nowMs;
    this.#keys.set(id, key);
    return key;
  }

  /** Asks anew for everybody in line. */
  wakeAll(): void {
    for (const { line } of this.#keys.values()) line?.wake();
  }

  count(key: OutgoingKey, allowed: boolean): void {
    if (allowed) {
      key.allowed += 1;
      this.allowed += 1;
    } else {
      key.refused += 1;
      this.refused += 1;
    }
  }

  /** Starts the counts of one key, or of all, again. */
  clearCounts(id?: string): void {
    const cleared = id === undefined ? this.#keys.values() : [this.#keys.get(id)];
    for (const key of cleared) {
      if (key === undefined) continue;
      this.allowed -= key.allowed;
      this.refused -= key.refused;
      [key.allowed, key.refused] = [0, 0];
    }
    if (id === undefined) [this.allowed, this.refused] = [0, 0];
  }

  /** Of those that were asked for since their counts began. */
  uses(id?: string): RateLimitUse[] {
    return this.#chosen(id)
      .filter(({ allowed, refused }) => allowed + refused > 0)
      .map((key) => key.use());
  }

  outgoing(nowMs: number, epochMs: number, id?: string): OutgoingUse[] {
    return this.#chosen(id).map((key) => key.outgoingUse(nowMs, epochMs));
  }

  /** Those with rules; others were only heard of. */
  #chosen(id?: string): OutgoingKey[] {
    const known = id === undefined ? [...this.#keys.values()] : [this.#keys.get(id)];
    return known.filter((key): key is OutgoingKey => key !== undefined && key.rules.length > 0);
  }

  #forget(count: number, nowMs: number, unusedMs: number): void {
    for (let looked = 0; looked < count; looked++) {
      const next = this.#sweep.next();
      if (next.done) {
        this.#sweep = this.#keys.entries();
        return;
      }
      const [id, key] = next.value;
      if (nowMs - key.usedAtMs >= unusedMs && key.isSettled(nowMs)) this.#keys.delete(id);
    }
  }
}
