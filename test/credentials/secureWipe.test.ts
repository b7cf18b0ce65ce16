import { randomBytes } from 'node:crypto';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CredentialEncryption } from '../../src/credentials/credentialEncryption.ts';

const wipe = (data: unknown) => CredentialEncryption.secureWipe(data);
const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);

describe('secureWipe', () => {
  it('overwrites bytes of every kind', () => {
    const buffer = randomBytes(32).buffer.slice(0, 32);
    const shared = new SharedArrayBuffer(16);
    new Uint8Array(shared).fill(7);
    const views = {
      buffer: randomBytes(40),
      bytes: new Uint8Array([1, 2]),
      clamped: new Uint8ClampedArray([1, 2]),
      floats: new Float64Array([1.5, Number.NaN]),
      bigints: new BigUint64Array([2n ** 63n]),
      view: new DataView(new Uint8Array([1, 2, 3]).buffer),
      foreign: runInNewContext('new Uint16Array([1, 2])') as Uint16Array,
    };
    wipe([buffer, shared, views]);
    expect(isZero(new Uint8Array(buffer))).toBe(true);
    expect(isZero(new Uint8Array(shared))).toBe(true);
    for (const view of Object.values(views)) {
      expect(isZero(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))).toBe(true);
    }
  });

  it('overwrites only its own window of shared memory', () => {
    const memory = new Uint8Array(12).fill(9);
    wipe(memory.subarray(4, 8));
    expect([...memory]).toEqual([9, 9, 9, 9, 0, 0, 0, 0, 9, 9, 9, 9]);
  });

  it('replaces strings, numbers and bigints in objects and arrays, nested, with symbol keys, through cycles', () => {
    const token = Symbol('token');
    const inner = { list: ['a', ['b', { c: 'd' }]], pin: 1234, big: 5n, kept: true, [token]: 'e' };
    const data: Record<string, unknown> = { apiKey: 'k', inner, none: null };
    data.self = data;
    Object.defineProperty(data, 'hidden', { value: 'h', enumerable: false, writable: true });
    Object.defineProperty(data, 'readOnly', { value: 'r', enumerable: true, writable: false, configurable: true });
    wipe(data);
    expect(data).toMatchObject({ apiKey: '', hidden: '', readOnly: '', none: null });
    expect(data.self).toBe(data);
    expect(inner).toEqual({ list: ['', ['', { c: '' }]], pin: 0, big: 0n, kept: true, [token]: '' });
  });

  it('wipes what Maps and Sets hold, keys as well, and empties them', () => {
    const [key, value, member] = [{ id: 'k' }, Buffer.from('secret'), { deep: new Map([['a', { b: 'c' }]]) }];
    const deepest = member.deep.get('a')!;
    const [map, set] = [
      new Map<unknown, unknown>([
        [key, value],
        ['text', 'text'],
      ]),
      new Set<unknown>([member, 'text']),
    ];
    wipe({ map, set });
    expect([map.size, set.size, member.deep.size]).toEqual([0, 0, 0]);
    expect([key.id, deepest.b, isZero(value)]).toEqual(['', '', true]);
  });

  it('wipes through accessors what they give', () => {
    let stored = 'secret';
    const bytes = new Uint8Array([1, 2, 3]);
    const data = {
      get text() {
        return stored;
      },
      set text(text: string) {
        stored = text;
      },
      get bytes() {
        return bytes;
      },
    };
    wipe(data);
    expect(stored).toBe('');
    expect(isZero(bytes)).toBe(true);
  });

  it('reaches past what it cannot change: frozen objects, throwing getters and proxies, detached buffers', () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const detached = new Uint8Array([1]);
    structuredClone(detached, { transfer: [detached.buffer] });
    const last = { text: 'secret' };
    const data = [
      Object.freeze({ text: 'stays', bytes }),
      {
        get text(): string {
          throw new Error('no');
        },
      },
      new Proxy({}, { ownKeys: () => ['not', 'an', 'own', Symbol('key')] }),
      new Proxy(
        {},
        {
          ownKeys() {
            throw new Error('no');
          },
        },
      ),
      detached,
      last,
    ];
    wipe(data);
    expect(isZero(bytes)).toBe(true);
    expect(last.text).toBe('');
    expect((data[0] as { text: string }).text).toBe('stays');
  });

  it('takes any value without throwing, however deep, and leaves no string in plain data', () => {
    for (const value of [undefined, null, 'text', 1, 1n, Symbol('s'), () => 'x', new Date(), /x/, new Error('e')]) {
      expect(() => wipe(value)).not.toThrow();
    }
    let deep: object = { text: 'deepest' };
    const deepest = deep as { text: string };
    for (let level = 0; level < 100_000; level++) deep = { deep };
    wipe(deep);
    expect(deepest.text).toBe('');
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const wrapped = { value };
        wipe(wrapped);
        const leaves: unknown[] = [];
        JSON.stringify(wrapped, (_name, member: unknown) => {
          if (typeof member === 'string' || typeof member === 'number') leaves.push(member);
          return member;
        });
        expect(leaves.filter((leaf) => leaf !== '' && leaf !== 0)).toEqual([]);
      }),
    );
  });
});
