import type { LimitRule } from './limitRule.ts';

const FIRST_SLOTS = 1_024;
/** Slots for each rule that the keys share which come when all others are taken. */
const SHARED_SLOTS = 1_024;
/** A key that was idle for less may be asked again at once; forgetting it would make it a new one each time. */
const KEPT_IDLE_MS = 1_000;

/** What is where in a slot. */
export const SLOT = {
  used: 0,
  atMs: 1,
  /** From then on the slot may be forgotten. */
  idleAtMs: 2,
  /** The strategy it is used by; 0: none yet. */
  kind: 3,
  size: 4,
} as const;

/**
 * Four numbers for each key, packed side by side: a slot is the place of the first in `state`, which is about 150 bytes
 * with a key of 40 characters. At most `maxKeys` keys have a slot of their own. When that many are in use, further
 * ones share slots, by their hash and with those of the same rule only; whoever shares sees the use of all that do,
 * so no limit is passed because of it.
 */
export class KeySlots {
  readonly #maxKeys: number;
  readonly #released: (slot: number) => void;
  readonly #slots = new Map<string, number>();
  readonly #free: number[] = [];
  #next = 0;
  #owed = 0;
  #sweep = this.#slots.entries();
  state = new Float64Array(FIRST_SLOTS * SLOT.size);
  /** Times that a key had to share. */
  shared = 0;

  /** `released` is told of every slot that is forgotten. */
  constructor(maxKeys: number, released: (slot: number) => void) {
    this.#maxKeys = maxKeys;
    this.#released = released;
  }

  get size(): number {
    return this.#slots.size;
  }

  /** The slot of a key, a new one if it has none. */
  of(key: string, rule: LimitRule, nowMs: number): number {
    return this.#slots.get(key) ?? this.#add(key, rule, nowMs);
  }

  /**
   * Looks at two keys for every key added since the last time: no timer, and no pause to look at all. Not done while
   * adding, so that no slot goes away that a caller is at work with.
   */
  forgetSome(nowMs: number): void {
    if (this.#owed === 0) return;
    this.forgetIdle(this.#owed, nowMs);
    this.#owed = 0;
  }

  /** Looks at the next `count` keys, each in its turn, and forgets those that are idle. */
  forgetIdle(count: number, nowMs: number): void {
    for (let looked = 0; looked < count; looked++) {
      const next = this.#sweep.next();
      if (next.done) {
        this.#sweep = this.#slots.entries();
        return;
      }
      const [key, slot] = next.value;
      if (this.state[slot + SLOT.idleAtMs]! + KEPT_IDLE_MS >= nowMs) continue;
      this.#slots.delete(key);
      this.state[slot + SLOT.kind] = 0;
      this.#free.push(slot);
      this.#released(slot);
    }
  }

  #add(key: string, rule: LimitRule, nowMs: number): number {
    this.#owed += 2;
    if (this.#slots.size >= this.#maxKeys && !key.startsWith('\0')) {
      this.shared += 1;
      const { strategy, limit, windowMs, capacity } = rule;
      return this.of(`\0${strategy}/${limit}/${windowMs}/${capacity}/${hashOf(key) % SHARED_SLOTS}`, rule, nowMs);
    }
    const slot = this.#free.pop() ?? this.#next;
    if (slot === this.#next) this.#next += SLOT.size;
    if (slot >= this.state.length) this.#grow();
    this.#slots.set(key, slot);
    this.state[slot + SLOT.used] = 0;
    this.state[slot + SLOT.atMs] = nowMs;
    this.state[slot + SLOT.idleAtMs] = nowMs;
    return slot;
  }

  #grow(): void {
    const wider = new Float64Array(this.state.length * 2);
    wider.set(this.state);
    this.state = wider;
  }
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
