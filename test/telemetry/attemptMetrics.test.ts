import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { AttemptRecord } from '../../src/outgoing/types.ts';
import { AttemptMetrics } from '../../src/telemetry/attemptMetrics.ts';
import { Busiest } from '../../src/telemetry/busiest.ts';
import type { Family } from '../../src/telemetry/families.ts';
import { RequestMetrics } from '../../src/telemetry/requestMetrics.ts';

const attempt = (change: Partial<AttemptRecord> = {}): AttemptRecord => ({
  id: 'att_1',
  operationId: 'op_1',
  integrationId: 'int_1',
  platform: 'github',
  operation: 'sync',
  attempt: 1,
  method: 'GET',
  host: 'api.example.com',
  path: '/items',
  status: 200,
  outcome: 'success',
  startedAt: new Date(),
  durationMs: 250,
  waitMs: 0,
  firstByteMs: 200,
  phases: { backoffMs: 0, rateLimitMs: 0, queueMs: 0, connectMs: 20, firstByteMs: 180, bodyMs: 50 },
  responseBytes: 100,
  error: null,
  ...change,
});

const seriesOf = (families: readonly Family[]) => families.reduce((sum, { samples }) => sum + samples.length, 0);
const samples = (metrics: AttemptMetrics, name: string) =>
  metrics.families().find((family) => family.name === `integration_services_${name}`)!.samples as readonly {
    labels: Record<string, string>;
    value: number;
    count: number;
  }[];

describe('series of attempts', () => {
  it('count by platform, operation and outcome', () => {
    const metrics = new AttemptMetrics({ clock: systemClock, integrationSeries: 5 });
    metrics.record(attempt());
    metrics.record(attempt({ attempt: 2, outcome: 'timeout', status: null }));
    metrics.record(attempt({ operation: 'check', platform: undefined }));
    expect(samples(metrics, 'outgoing_attempts_total')).toEqual([
      { labels: { platform: 'github', operation: 'sync', outcome: 'success' }, value: 1 },
      { labels: { platform: 'github', operation: 'sync', outcome: 'timeout' }, value: 1 },
      { labels: { platform: 'unknown', operation: 'check', outcome: 'success' }, value: 1 },
    ]);
    expect(samples(metrics, 'outgoing_retries_total')[0]).toMatchObject({ value: 1 });
    expect(samples(metrics, 'outgoing_duration_seconds')[0]).toMatchObject({ count: 2, sum: 0.5 });
    expect(samples(metrics, 'integration_attempts_total')).toEqual([
      { labels: { integration: 'int_1', result: 'success' }, value: 2 },
      { labels: { integration: 'int_1', result: 'failure' }, value: 1 },
    ]);
  });

  it('stay bounded with 5,000 integrations and 1,000 platforms, and lose no attempt', () => {
    const metrics = new AttemptMetrics({ clock: systemClock, integrationSeries: 100 });
    for (let index = 0; index < 5_000; index++) {
      metrics.record(attempt({ integrationId: `int_${index}`, platform: `platform${index % 1_000}` }));
    }
    const integrations = new Set(
      samples(metrics, 'integration_attempts_total').map(({ labels }) => labels.integration),
    );
    expect(integrations.size).toBe(101);
    expect(integrations.has('other')).toBe(true);
    const platforms = new Set(samples(metrics, 'outgoing_attempts_total').map(({ labels }) => labels.platform));
    expect(platforms.size).toBe(101);
    expect(seriesOf(metrics.families())).toBeLessThan(1_000);
    for (const name of ['integration_attempts_total', 'outgoing_attempts_total']) {
      expect(samples(metrics, name).reduce((sum, { value }) => sum + value, 0)).toBe(5_000);
    }
    expect(samples(metrics, 'metrics_folded_total')).toEqual([
      { labels: { label: 'platform' }, value: 4_500 },
      { labels: { label: 'integration' }, value: 4_900 },
    ]);
  });

  it('never go down but by going away', () => {
    let nowMs = 0;
    const clock = { ...systemClock, monotonicMs: () => nowMs };
    const metrics = new AttemptMetrics({ clock, integrationSeries: 2 });
    const calls = fc.array(fc.tuple(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 40_000 })), {
      maxLength: 60,
    });
    let before = new Map<string, number>();
    fc.assert(
      fc.property(calls, (list) => {
        for (const [integration, passedMs] of list) {
          nowMs += passedMs;
          metrics.record(attempt({ integrationId: `int_${integration}` }));
          const now = new Map(
            samples(metrics, 'integration_attempts_total').map(({ labels, value }) => [JSON.stringify(labels), value]),
          );
          expect(now.size).toBeLessThanOrEqual(6);
          for (const [series, value] of now) {
            const old = before.get(series) ?? 0;
            // One that lost its place and got it back within a step would begin anew; a step is one call.
            expect(value).toBeGreaterThanOrEqual(old);
          }
          before = now;
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('the busiest', () => {
  it('take the places of those that are less busy', () => {
    const left: string[] = [];
    const busiest = new Busiest(2, (key) => left.push(key));
    for (const key of ['a', 'b', 'c', 'c', 'c', 'd']) busiest.count(key);
    busiest.endWindow();
    expect(left).toEqual(['a']);
    expect(busiest.count('c')).toBe(true);
    expect(busiest.count('a')).toBe(false);
    expect(busiest.count('b')).toBe(true);
  });

  it('are found among thousands, in bounded memory', () => {
    const busiest = new Busiest(3, () => {});
    for (let index = 0; index < 20_000; index++) {
      busiest.count(`rare${index}`);
      if (index % 4 === 0) for (const key of ['x', 'y', 'z']) busiest.count(key);
    }
    busiest.endWindow();
    expect(['x', 'y', 'z'].map((key) => busiest.count(key))).toEqual([true, true, true]);
  });

  it('name nobody when there is no place', () => {
    const busiest = new Busiest(0, () => {});
    expect(busiest.count('a')).toBe(false);
    busiest.endWindow();
    expect(busiest.count('a')).toBe(false);
  });
});

it('requests are bounded by routes and methods, whatever callers send', () => {
  const requests = new RequestMetrics();
  for (let index = 0; index < 3_000; index++) requests.record(`M${index}`, `/path/${index}`, 404, 1);
  requests.record('GET', undefined, 404, 1);
  const [counts] = requests.families();
  expect(counts!.samples.length).toBeLessThanOrEqual(1_002);
  expect(new Set(counts!.samples.map(({ labels }) => labels.method))).toEqual(new Set(['other', 'GET']));
});
