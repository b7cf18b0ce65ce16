const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export interface SyntheticSeries {
  readonly kind: string;
  readonly times: readonly number[];
  readonly values: readonly number[];
  /** Where the anomaly begins; null: there is none. */
  readonly onset: number | null;
  /** Points from the onset within which it has to be found. */
  readonly withinPoints: number;
  readonly intervalMs: number;
}

/** Uniform numbers in [0, 1): mulberry32. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Standard normal numbers: Box and Muller. */
export function seededNormal(seed: number): () => number {
  const random = seededRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** One series of each kind; the same seed gives the same ones. Five-minute points, anomalies after 10 of 14 days. */
export function makeSeries(seed: number): SyntheticSeries[] {
  const intervalMs = 5 * MINUTE_MS;
  const perDay = DAY_MS / intervalMs;
  const count = 14 * perDay;
  const onset = 10 * perDay + 40 + Math.floor(seededRandom(seed)() * 200);
  const daily = (at: number) => Math.sin((2 * Math.PI * at) / perDay);
  const usual = (kind: string): ((at: number) => number) => {
    const normal = seededNormal(seed * 31 + kind.length);
    const random = seededRandom(seed * 17 + kind.length);
    if (kind === 'season') return (at) => 100 + 40 * daily(at) + 3 * normal();
    if (kind === 'spiky') return (at) => (random() < 0.02 ? 100 + 300 * random() : 40 + 4 * normal()) + 0 * at;
    if (kind === 'flat') return () => 42;
    if (kind === 'wandering') {
      let level = 500;
      return () => (level += 2 * normal());
    }
    if (kind === 'quantised') return () => Math.round(5 + 1.2 * normal());
    return () => 100 + 5 * normal();
  };
  const make = (
    kind: string,
    base: string,
    withinPoints: number,
    change: ((value: number, since: number) => number) | null,
  ): SyntheticSeries => {
    const next = usual(base);
    const values = Array.from({ length: count }, (_, at) => {
      const value = next(at);
      return change !== null && at >= onset ? change(value, at - onset) : value;
    });
    const times = Array.from({ length: count }, (_, at) => 1_700_000_000_000 + at * intervalMs);
    return { kind, times, values, onset: change === null ? null : onset, withinPoints, intervalMs };
  };
  const gappy = make('level shift, with a tenth of the points missing', 'noise', 60, (value) => value + 40);
  const missing = seededRandom(seed + 5);
  const kept = gappy.times.map((_, at) => at === onset || missing() >= 0.1);
  return [
    make('level shift', 'noise', 40, (value) => value + 40),
    make('small level shift (2 sigma)', 'noise', 100, (value) => value + 10),
    make('spike', 'noise', 1, (value, since) => (since === 0 ? value + 80 : value)),
    make('spike among spikes', 'spiky', 1, (value, since) => (since === 0 ? 2_000 : value)),
    make('drift (1 sigma an hour)', 'noise', 200, (value, since) => value + (since * 5) / 12),
    make('flat line', 'noise', 150, () => 100),
    make('variance × 4', 'noise', 80, (value) => 100 + 4 * (value - 100)),
    make('missing peak of a season', 'season', perDay, (_, since) => 100 + 0.01 * since),
    make('change of a flat series', 'flat', 1, () => 47),
    make('level shift of a random walk', 'wandering', 10, (value) => value + 60),
    make('level shift of a quantised series', 'quantised', 40, (value) => value + 6),
    {
      ...gappy,
      times: gappy.times.filter((_, at) => kept[at]),
      values: gappy.values.filter((_, at) => kept[at]),
      onset: kept.slice(0, onset).filter(Boolean).length,
    },
    make('nothing: noise', 'noise', 0, null),
    make('nothing: season', 'season', 0, null),
    make('nothing: spiky', 'spiky', 0, null),
    make('nothing: flat', 'flat', 0, null),
    make('nothing: random walk', 'wandering', 0, null),
    make('nothing: quantised', 'quantised', 0, null),
  ];
}
