import { describe, expect, it } from 'vitest';
import { lazy, lazyService } from '../../src/core/lazy.ts';

describe('lazy', () => {
  it('opens once, also for concurrent first calls', async () => {
    let opened = 0;
    const open = lazy(async () => ++opened);
    expect(await Promise.all([open(), open(), open()])).toEqual([1, 1, 1]);
  });

  it('tries again after a failure', async () => {
    let tries = 0;
    const open = lazy(async () => {
      tries += 1;
      if (tries === 1) throw new Error('not yet');
      return tries;
    });
    await expect(open()).rejects.toThrow('not yet');
    expect(await open()).toBe(2);
  });

  it('opens a service at its first call, not when it is made, awaited or looked at', async () => {
    let opened = 0;
    class Greeter {
      #word = 'hello';
      async greet(name: string): Promise<string> {
        return `${this.#word} ${name}`;
      }
    }
    const service = lazyService(async () => {
      opened += 1;
      return new Greeter();
    });
    await service;
    expect(opened).toBe(0);
    expect(await service.greet('you')).toBe('hello you');
    expect(await service.greet('me')).toBe('hello me');
    expect(opened).toBe(1);
  });
});
