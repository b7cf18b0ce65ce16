import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../src/core/errors.ts';
import { type AnomalyDetectorOptions, createAnomalyDetector } from '../../src/performance/anomaly/anomalyDetector.ts';
import { seededNormal } from './support/syntheticSeries.ts';

const MINUTE_MS = 60_000;

describe('the snapshot of a detector', () => {
  it('goes on as if nothing had come between, wherever it is taken', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.integer({ min: 0, max: 600 }),
        fc.constantFrom<AnomalyDetectorOptions>(
          {},
          { probationPoints: 10, periodsMs: [MINUTE_MS * 30] },
          { periodsMs: [] },
        ),
        (seed, at, options) => {
          const normal = seededNormal(seed);
          const values = Array.from({ length: 700 }, (_, index) => {
            if (index % 97 === 0) return Number.NaN;
            return 100 + 20 * Math.sin(index / 30) + 5 * normal() + (index > 500 ? 60 : 0);
          });
          const whole = createAnomalyDetector(options);
          let cut = createAnomalyDetector(options);
          for (const [index, value] of values.entries()) {
            if (index === at) cut = createAnomalyDetector({ snapshot: cut.snapshot() });
            const time = 1.7e12 + index * MINUTE_MS * (index % 50 === 0 ? 1.5 : 1);
            expect(cut(time, value)).toBe(whole(time, value));
            if (index % 100 === 99) expect(cut.explain()).toEqual(whole.explain());
          }
          expect(cut.snapshot()).toEqual(whole.snapshot());
        },
      ),
      { numRuns: 25 },
    );
  });

  it('stays small, however long the series is', () => {
    const detect = createAnomalyDetector();
    const normal = seededNormal(3);
    for (let at = 0; at < 40_000; at++) detect(at * MINUTE_MS, Math.exp(3 * normal()) * (at % 1_000 === 0 ? 1e6 : 1));
    expect(detect.snapshot().length).toBeLessThan(16_000);
  });

  it('is refused when it is none', () => {
    const { snapshot } = createAnomalyDetector();
    const bytes = snapshot();
    const wrong = [new Uint8Array(0), bytes.slice(0, -1), new Uint8Array([...bytes, 0]), new Uint8Array(bytes.length)];
    for (const one of wrong) expect(() => createAnomalyDetector({ snapshot: one })).toThrow(InvalidInputError);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        expect(() => createAnomalyDetector({ snapshot: noise })).toThrow(InvalidInputError);
      }),
    );
    const both = { snapshot: bytes, marginRatio: 1 } as AnomalyDetectorOptions;
    expect(() => createAnomalyDetector(both)).toThrow(/holds its own/);
  });
});
