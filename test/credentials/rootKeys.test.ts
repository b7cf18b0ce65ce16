import { afterEach, describe, expect, it, vi } from 'vitest';
import type { CryptoBackend } from '../../src/credentials/cryptoBackend.ts';
import { RootKeys } from '../../src/credentials/rootKeys.ts';
import { randomBytes } from '../../src/credentials/sealedBox.ts';
import { webBackend } from '../../src/credentials/webBackend.ts';

/** Web Crypto with one iteration, so that many derivations can be watched; says how often it derived. */
function countingBackend() {
  const derived = { count: 0 };
  const backend: CryptoBackend = {
    ...webBackend,
    pbkdf2: (password, salt, _iterations, lengthBytes) => {
      derived.count += 1;
      return webBackend.pbkdf2(password, salt, 1, lengthBytes);
    },
  };
  return { backend, derived };
}

const kdf = () => ({ iterations: 600_000, salt: randomBytes(32) });

afterEach(() => {
  vi.useRealTimers();
});

describe('the keys derived from a secret', () => {
  it('are derived once for each salt and number of iterations, also for concurrent callers', async () => {
    const { backend, derived } = countingBackend();
    const roots = new RootKeys('secret', backend);
    const one = kdf();
    const keys = await Promise.all(Array.from({ length: 20 }, () => roots.derive({ ...one, salt: one.salt.slice() })));
    expect(new Set(keys).size).toBe(1);
    expect(derived.count).toBe(1);
    await roots.derive({ ...one, iterations: 600_001 });
    await roots.derive(kdf());
    expect(derived.count).toBe(3);
  });

  it('are at most 64: the one used longest ago goes first', async () => {
    const { backend, derived } = countingBackend();
    const roots = new RootKeys('secret', backend);
    const [kept, forgotten] = [kdf(), kdf()];
    await roots.derive(kept);
    await roots.derive(forgotten);
    for (let index = 0; index < 200; index++) {
      await roots.derive(kdf());
      await roots.derive(kept);
      expect(roots.size).toBeLessThanOrEqual(64);
    }
    expect(roots.size).toBe(64);
    expect(derived.count).toBe(202);
    await roots.derive(forgotten);
    expect(derived.count).toBe(203);
  });

  it('are forgotten after 15 minutes, used or not', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { backend, derived } = countingBackend();
    const roots = new RootKeys('secret', backend);
    const one = kdf();
    await roots.derive(one);
    vi.advanceTimersByTime(14 * 60_000);
    await roots.derive(one);
    expect(derived.count).toBe(1);
    vi.advanceTimersByTime(61_000);
    expect(roots.size).toBe(0);
    await roots.derive(one);
    expect(derived.count).toBe(2);
    expect(vi.getTimerCount()).toBe(1);
  });

  it('are not kept when their derivation failed', async () => {
    const { backend } = countingBackend();
    let failing = true;
    const roots = new RootKeys('secret', {
      ...backend,
      pbkdf2: (...args) => (failing ? Promise.reject(new Error('out of memory')) : backend.pbkdf2(...args)),
    });
    const one = kdf();
    await expect(roots.derive(one)).rejects.toThrow('out of memory');
    expect(roots.size).toBe(0);
    failing = false;
    await expect(roots.derive(one)).resolves.toBeDefined();
  });
});
