import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { createAnomalyDetector, InvalidInputError } from '../../src/index.ts';
import { makeSeries, type SyntheticSeries, seededNormal } from './support/syntheticSeries.ts';

const ALARM = 0.5;
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const MINUTE_MS = 60_000;

function alarmsOf({ times, values }: SyntheticSeries): number[] {
  const detect = createAnomalyDetector();
  return times.flatMap((time, at) => (detect(time, values[at]!) >= ALARM ? [at] : []));
}

const kinds = makeSeries(1).map((series) => series.kind);

describe.each(kinds.filter((kind) => !kind.startsWith('nothing')))('%s', (kind) => {
  it('is found in time in at least eight of ten series', () => {
    const found = SEEDS.filter((seed) => {
      const series = makeSeries(seed).find((one) => one.kind === kind)!;
      const { onset, withinPoints } = series;
      return alarmsOf(series).some((at) => at >= onset! && at < onset! + withinPoints);
    });
    expect(found.length).toBeGreaterThanOrEqual(8);
  });
});

describe.each(kinds.filter((kind) => kind.startsWith('nothing')))('%s', (kind) => {
  it('gives fewer than three false alarms in four days of 288 points', () => {
    const alarms = SEEDS.map((seed) => alarmsOf(makeSeries(seed).find((one) => one.kind === kind)!).length);
    expect(alarms.reduce((sum, one) => sum + one, 0)).toBeLessThan((3 / 4) * SEEDS.length * 14);
  });
});

/** Points with whatever floating point can hold, hostile ones among them. */
const anyPoints = fc.array(
  fc.tuple(
    fc.oneof(fc.double(), fc.integer({ min: 0, max: 2e12 }), fc.string(), fc.date()),
    fc.oneof(fc.double(), fc.constantFrom(0, 1, -1, 1e308, -1e308, 5e-324, Number.MAX_VALUE), fc.integer()),
  ),
  { maxLength: 400 },
);

test('whatever it is given, a score lies between 0 and 1', () => {
  fc.assert(
    fc.property(anyPoints, (points) => {
      const detect = createAnomalyDetector({ probationPoints: 0 });
      for (const [time, value] of points) {
        const score = detect(time, value);
        expect(score >= 0 && score <= 1).toBe(true);
      }
    }),
  );
});

test('equal points give equal scores, whatever comes after them', () => {
  const values = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 120, maxLength: 300 });
  fc.assert(
    fc.property(values, fc.nat({ max: 300 }), (all, cut) => {
      const score = (some: number[]) => {
        const detect = createAnomalyDetector({ probationPoints: 10 });
        return some.map((value, at) => detect(at * MINUTE_MS, value));
      };
      expect(score(all.slice(0, cut))).toEqual(score(all).slice(0, cut));
    }),
  );
});

/** The scores of 2,000 minutes with a level shift after 1,900. */
function scoresOf(shape: (value: number, at: number) => [timestamp: number | Date | string, value: number]): number[] {
  const normal = seededNormal(3);
  const detect = createAnomalyDetector();
  return Array.from({ length: 2_000 }, (_, at) => detect(...shape(100 + 5 * normal() + (at >= 1_900 ? 60 : 0), at)));
}
const START_MS = Date.UTC(2026, 0, 5);
const usual = scoresOf((value, at) => [START_MS + at * MINUTE_MS, value]);

describe('timestamps', () => {
  it.each<[string, (at: number) => number | Date | string]>([
    ['Dates', (at) => new Date(START_MS + at * MINUTE_MS)],
    ['epoch seconds', (at) => (START_MS + at * MINUTE_MS) / 1_000],
    ['ISO 8601 text', (at) => new Date(START_MS + at * MINUTE_MS).toISOString()],
    [
      'text without a zone, as UTC',
      (at) => new Date(START_MS + at * MINUTE_MS).toISOString().slice(0, 19).replace('T', ' '),
    ],
  ])('may be %s', (_, timestamp) => {
    expect(scoresOf((value, at) => [timestamp(at), value])).toEqual(usual);
  });

  it.each<[string, (at: number) => number]>([
    ['goes back', (at) => START_MS + (at % 500 === 250 ? 0 : at * MINUTE_MS)],
    ['stands still', (at) => START_MS + (at % 500 === 250 ? at - 1 : at) * MINUTE_MS],
    ['is none', (at) => (at % 500 === 250 ? Number.NaN : START_MS + at * MINUTE_MS)],
  ])('one that %s counts as one interval after the last', (_, timestamp) => {
    const scores = scoresOf((value, at) => [timestamp(at), value]);
    expect(scores.findIndex((score, at) => at >= 1_900 && score >= ALARM)).toBe(1_900);
  });

  it('may be mere numbers of points, which are taken for hours of days and weeks', () => {
    const normal = seededNormal(3);
    const daily = Array.from({ length: 1_000 }, (_, at) => 100 + 50 * Math.sin((2 * Math.PI * at) / 24) + normal());
    const hours = createAnomalyDetector();
    const numbers = createAnomalyDetector();
    // Usual at other hours, but not at this one.
    const values = daily.with(900, daily[906]!);
    const expected = values.map((value, at) => hours(at * 60 * MINUTE_MS, value));
    expect(values.map((value, at) => numbers(at, value))).toEqual(expected);
    expect(expected[900]).toBeGreaterThanOrEqual(ALARM);
  });
});

describe('missing points', () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    '%s scores 0 and teaches nothing',
    (none) => {
      const normal = seededNormal(3);
      const detect = createAnomalyDetector();
      const scores: number[] = [];
      for (let at = 0; at < 2_000; at++) {
        if (at % 7 === 0) {
          expect(detect(START_MS + at * MINUTE_MS, none)).toBe(0);
          expect(detect.explain()).toBeNull();
        }
        scores.push(detect(START_MS + at * MINUTE_MS, 100 + 5 * normal() + (at >= 1_900 ? 60 : 0)));
      }
      expect(scores).toEqual(usual);
    },
  );
});

describe('an alarm', () => {
  it('comes only after the probation', () => {
    const detect = createAnomalyDetector({ probationPoints: 50 });
    const scores = Array.from({ length: 60 }, (_, at) => detect(at * MINUTE_MS, at % 10 === 9 ? 1e6 * at : 1));
    expect(scores.slice(0, 50).every((score) => score === 0)).toBe(true);
    expect(scores.slice(50).some((score) => score > 0)).toBe(true);
  });

  it('is not repeated within the refractory period, but by what is far more surprising', () => {
    const normal = seededNormal(11);
    const values = Array.from({ length: 1_000 }, () => 100 + 5 * normal());
    values[800] = 150;
    values[820] = 150;
    values[840] = 100_000;
    const detect = createAnomalyDetector();
    const scores = values.map((value, at) => detect(at * MINUTE_MS, value));
    expect([800, 820, 840].map((at) => scores[at]! >= ALARM)).toEqual([true, false, true]);
  });

  it('names its evidence', () => {
    const detect = createAnomalyDetector();
    expect(detect.explain()).toBeNull();
    for (let at = 0; at < 500; at++) detect(at * MINUTE_MS, 100 + (at % 5));
    const score = detect(500 * MINUTE_MS, 300);
    const evidence = detect.explain()!;
    expect(evidence).toMatchObject({ score, refractory: false });
    expect(evidence.expected).toBeGreaterThan(99);
    expect(evidence.expected).toBeLessThan(105);
    expect(evidence.surprise).toBeGreaterThan(5);
    expect(evidence.signals[evidence.signal]).toBe(Math.max(...Object.values(evidence.signals)));
  });

  it('is not given for changes below the margin, however quiet the series is', () => {
    const scores = (step: number, marginRatio: number) => {
      const detect = createAnomalyDetector({ marginRatio });
      return Array.from({ length: 1_000 }, (_, at) => detect(at * MINUTE_MS, at < 900 ? 100 : 100 + step));
    };
    expect(Math.max(...scores(0.1, 0.01))).toBeLessThan(ALARM);
    expect(Math.max(...scores(5, 0.01))).toBeGreaterThanOrEqual(ALARM);
    expect(Math.max(...scores(5, 1))).toBeLessThan(ALARM);
  });
});

test('options out of their range are refused, all at once', () => {
  expect(() => createAnomalyDetector({ probationPoints: -1, marginRatio: Number.NaN, periodsMs: [0] })).toThrow(
    InvalidInputError,
  );
  try {
    createAnomalyDetector({ probationPoints: -1, marginRatio: Number.NaN, periodsMs: [1, 2, 3, 4, 5] });
  } catch (error) {
    expect((error as InvalidInputError).problems.map((one) => one.pointer)).toEqual([
      '/probationPoints',
      '/marginRatio',
      '/periodsMs',
    ]);
  }
});
