/**
 * Overwrites secrets in place, as far as they can be reached from `data`:
 * - every byte of every Buffer, typed array, DataView, ArrayBuffer and SharedArrayBuffer. Of a view only its own
 *   window, since small Buffers share their memory with strangers;
 * - every own property or array element that holds a string, number or bigint ('' or 0), whether its key is a
 *   string or a symbol, enumerable or not. An accessor is read once to reach what it gives, and set to '' when
 *   it gave a string;
 * - Maps and Sets: their keys, values and members are wiped, then they are emptied.
 *
 * Cycles are fine, and it never throws. What JavaScript does not let anybody promise:
 * - a string cannot be overwritten, only let go: its characters stay in memory until the garbage collector reuses
 *   it, and copies that the engine made stay as well. Keep secrets that must vanish in a Buffer;
 * - strings held by a frozen object, a non-configurable read-only property, a variable, a closure, a private (#)
 *   field or a WeakMap stay as they are;
 * - bytes may have been copied before (swap, a moved ArrayBuffer, a core dump), and those copies stay.
 */
export function secureWipe(data: unknown): void {
  const seen = new Set<object>();
  const pending: unknown[] = [data];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    try {
      wipeObject(value, pending);
    } catch {
      // A proxy's trap or a detached buffer: the rest is still wiped.
    }
  }
}

function wipeObject(value: object, pending: unknown[]): void {
  if (ArrayBuffer.isView(value)) {
    new Uint8Array(value.buffer, value.byteOffset, value.byteLength).fill(0);
    return;
  }
  // By tag, so that those of another realm are found too.
  switch (Object.prototype.toString.call(value)) {
    case '[object ArrayBuffer]':
    case '[object SharedArrayBuffer]':
      new Uint8Array(value as ArrayBuffer).fill(0);
      return;
    case '[object Map]':
      for (const [key, member] of value as Map<unknown, unknown>) pending.push(key, member);
      (value as Map<unknown, unknown>).clear();
      break;
    case '[object Set]':
      for (const member of value as Set<unknown>) pending.push(member);
      (value as Set<unknown>).clear();
      break;
  }
  for (const key of Reflect.ownKeys(value)) {
    // An array's length is a number as well, but cutting the array would hide its elements from us.
    if (!(Array.isArray(value) && key === 'length')) wipeProperty(value, key, pending);
  }
}

function wipeProperty(owner: object, key: PropertyKey, pending: unknown[]): void {
  try {
    const property = Reflect.getOwnPropertyDescriptor(owner, key);
    if (property === undefined) return;
    const value: unknown = Reflect.get(owner, key);
    const empty = emptied(value);
    if (empty === undefined) pending.push(value);
    else if (property.set !== undefined) Reflect.set(owner, key, empty);
    else if (property.writable || property.configurable) {
      // Also past a read-only flag; a getter without a setter holds nothing itself and stays.
      if (property.get === undefined) Reflect.defineProperty(owner, key, { ...property, value: empty });
    }
  } catch {
    // This one property's getter, setter or trap threw.
  }
}

/** What takes the place of a secret of this type; undefined when there is nothing to replace. */
function emptied(value: unknown): '' | 0 | 0n | undefined {
  if (typeof value === 'string') return '';
  if (typeof value === 'number') return 0;
  return typeof value === 'bigint' ? 0n : undefined;
}
