import { describe, expect, it } from 'vitest';
import { isNearby, networkOf } from '../../src/core/network.ts';
import { RequestLimit, rateLimitHeaders } from '../../src/http/guard/requestLimit.ts';
import { ManualClock } from '../rateLimits/manualClock.ts';

describe('a limit of requests', () => {
  it('counts each key in its own minute, and goes by what it says', async () => {
    const clock = new ManualClock();
    const limit = new RequestLimit(clock);
    for (let request = 1; request <= 5; request++)
      expect(limit.take('a', 5)).toEqual({ allowed: true, limit: 5, remaining: 5 - request, resetSeconds: 60 });
    await clock.advance(59_500);
    expect(limit.take('a', 5)).toEqual({ allowed: false, limit: 5, remaining: 0, resetSeconds: 1 });
    expect(limit.take('b', 5).allowed).toBe(true);
    await clock.advance(500);
    expect(limit.take('a', 5)).toMatchObject({ allowed: true, remaining: 4 });
  });

  it('remembers only so many keys', () => {
    const limit = new RequestLimit(new ManualClock(), 2);
    limit.take('first', 1);
    for (const key of ['second', 'third']) limit.take(key, 1);
    expect(limit.take('third', 1).allowed).toBe(false);
    expect(limit.take('first', 1).allowed).toBe(true);
  });

  it('is told as the draft says', () => {
    const state = { allowed: true, limit: 100, remaining: 99, resetSeconds: 12 };
    expect(rateLimitHeaders({ address: { ...state, limit: 600 }, principal: state })).toEqual({
      'ratelimit-policy': '"address";q=600;w=60, "principal";q=100;w=60',
      ratelimit: '"address";r=99;t=12, "principal";r=99;t=12',
    });
  });
});

describe('an address', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:0:7::1', '2001:db8:0:7'],
    ['2001:db8::7:ffff:1:2:3', '2001:db8:0:7'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ])('%s is counted as %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it('is nearby on this machine and in private networks only', () => {
    for (const address of [
      '127.0.0.1',
      '::1',
      '::ffff:127.0.0.1',
      '10.1.2.3',
      '192.168.0.9',
      '172.16.0.1',
      'fd00::1',
      'fe80::1%eth0',
    ])
      expect(isNearby(address), address).toBe(true);
    for (const address of ['203.0.113.7', '8.8.8.8', '2606:4700::1', '::ffff:8.8.8.8', '172.32.0.1', 'nonsense', ''])
      expect(isNearby(address), address).toBe(false);
  });
});
