import { expect, test } from 'vitest';
import { judgeTraffic, nextCheckMs } from '../../../src/monitoring/health/judgeIntegration.ts';
import { type PlatformLook, providersDown } from '../../../src/monitoring/health/providersDown.ts';

const look = (platform: string, state: PlatformLook['state'], outcome: string, count: number) => ({
  platform,
  state,
  outcome,
  count,
});

test('a provider is down when most of its integrations fail with an outage', () => {
  expect(
    providersDown([
      look('stripe', 'fail', 'provider_error', 3),
      look('stripe', 'fail', 'timeout', 1),
      look('stripe', 'pass', 'success', 2),
      look('github', 'pass', 'success', 100),
    ]),
  ).toEqual([{ platform: 'stripe', failing: 4, looked: 6, outcome: 'provider_error' }]);
});

test('a few failures, and credentials that are refused, make no provider down', () => {
  expect(providersDown([look('x', 'fail', 'timeout', 2)])).toEqual([]);
  expect(providersDown([look('x', 'fail', 'timeout', 5), look('x', 'pass', 'success', 5)])).toEqual([]);
  expect(providersDown([look('x', 'fail', 'wrong_credentials', 10)])).toEqual([]);
  expect(providersDown([look('x', 'unknown', 'timeout', 10)])).toEqual([]);
});

test('calls are judged when they are enough to tell', () => {
  expect(judgeTraffic({ calls: 1, failed: 0, outcome: null })).toMatchObject({ state: 'pass', source: 'traffic' });
  expect(judgeTraffic({ calls: 4, failed: 4, outcome: 'timeout' })).toBeNull();
  expect(judgeTraffic({ calls: 0, failed: 0, outcome: null })).toBeNull();
  expect(judgeTraffic({ calls: 100, failed: 4, outcome: 'timeout' })).toMatchObject({ state: 'pass' });
  expect(judgeTraffic({ calls: 100, failed: 5, outcome: 'timeout' })).toMatchObject({ state: 'warn' });
  expect(judgeTraffic({ calls: 100, failed: 50, outcome: 'timeout' })).toMatchObject({
    state: 'fail',
    outcome: 'timeout',
    detail: '50 of 100 calls failed in the last five minutes',
  });
});

test('what fails is looked at less and less often, up to every hour', () => {
  const minutes = [0, 1, 2, 3, 4, 5, 100].map((failures) => nextCheckMs(failures, 0.5) / 60_000);
  expect(minutes).toEqual([5, 10, 20, 40, 60, 60, 60]);
  expect(nextCheckMs(0, 0)).toBeCloseTo(4.5 * 60_000);
  expect(nextCheckMs(0, 1)).toBeCloseTo(5.5 * 60_000);
});
