import { SeasonalProfile } from './seasonalProfile.ts';
import type { StateIo } from './stateBytes.ts';
import { TailCalibration } from './tailCalibration.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What each signal looks for; their order is that of `surprises`. */
export const SIGNAL_NAMES = ['jump', 'season', 'level', 'drift', 'trend', 'bias', 'magnitude', 'volatility'] as const;
const [JUMP, SEASON, LEVEL, DRIFT, TREND, BIAS, MAGNITUDE, VOLATILITY] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
export type SignalName = (typeof SIGNAL_NAMES)[number];

/**
 * Points after which a statistic is counted. A series that freezes grows quieter step by step; if each step were known
 * at once, none would be a surprise.
 */
const LAG_POINTS = 1;
const VOLATILITY_LAG_POINTS = 60;
/** Means and scales of the first points say little: nothing is calibrated by them. */
const POINTS_TO_SETTLE = 20;
/** Shares that a new point has in the moving means. */
const FAST_SHARE = 0.3;
const MIDDLE_SHARE = 0.06;
const LONG_SHARE = 0.015;
const TREND_SHARE = 0.02;
const SEASON_SHARE = 0.15;
const VOLATILITY_SHARE = 0.05;
/** Half-lives of slow means and scales, in points. */
const SLOW_HALF_LIFE = 1_000;
const SCALE_HALF_LIFE = 2_000;
const FORECAST_HALF_LIFE = 300;
/** Points in the mean of everything; from there on the oldest fade. */
const HISTORY_POINTS = 10_000;
/** Forecast errors in the bias, each cut to this many scales so that one spike is no bias. */
const BIAS_POINTS = 64;
const ERROR_CUT = 4;
/** How much better forecasters are preferred: weights are errors to the power −this. */
const FORECAST_POWER = 4;
/** Differences below these shares of the range and of the level are nothing, however quiet the series is. */
const RANGE_FLOOR = 0.001;
/** Below this share of the mean magnitude, the logarithmic view of values becomes linear. */
const LOG_FLOOR = 0.001;

/**
 * Eight views of one series, each turned into a surprise (−log10 of its tail probability so far) by
 * {@link TailCalibration}, upward and downward apart. Every point is judged by what came before it, and then learned.
 */
export class AnomalySignals {
  /** Surprises of the last point, in the order of SIGNAL_NAMES. */
  readonly surprises = new Float64Array(SIGNAL_NAMES.length);
  /** What the last point was expected to be. */
  expected = Number.NaN;
  readonly #tails = SIGNAL_NAMES.flatMap((_, at) => {
    const lagPoints = at === VOLATILITY ? VOLATILITY_LAG_POINTS : LAG_POINTS;
    return [new TailCalibration(lagPoints), new TailCalibration(lagPoints)];
  });
  readonly #seasons: readonly SeasonalProfile[];
  readonly #marginRatio: number;
  #points = 0;
  #last = 0;
  #lowest = 0;
  #highest = 0;
  #fast = 0;
  #middle = 0;
  #slow = 0;
  #slowScale = 0;
  #long = 0;
  #all = 0;
  #allScale = 0;
  #allMagnitude = 0;
  #trend = 0;
  #jumpScale = 0;
  #shortJumps = 0;
  #longJumps = 0;
  #seasonDeviation = 0;
  #logSlow = 0;
  #logScale = 0;
  #errorScale = 0;
  #lastError = 0;
  #fastError = 0;
  #middleError = 0;
  readonly #errors = new Float64Array(BIAS_POINTS);
  #bias = 0;

  constructor(periodsMs: readonly number[], marginRatio: number) {
    this.#seasons = periodsMs.map((periodMs) => new SeasonalProfile(periodMs, bucketsOf(periodMs)));
    this.#marginRatio = marginRatio;
  }

  /** Judges `value` and learns it. `gap` is the time since the last point in usual intervals. */
  observe(timeMs: number, value: number, intervalMs: number, gap: number): void {
    this.#points++;
    if (this.#points === 1) this.#begin(value);
    else this.#judge(timeMs, value, gap);
    for (const season of this.#seasons) season.update(timeMs, value, intervalMs);
    this.#last = value;
    this.#lowest = Math.min(this.#lowest, value);
    this.#highest = Math.max(this.#highest, value);
  }

  /** Writes or reads what it remembers. */
  walk(io: StateIo): void {
    io.doubles(this.surprises);
    this.expected = io.number(this.expected);
    this.#points = io.number(this.#points);
    this.#last = io.number(this.#last);
    this.#lowest = io.number(this.#lowest);
    this.#highest = io.number(this.#highest);
    this.#fast = io.number(this.#fast);
    this.#middle = io.number(this.#middle);
    this.#slow = io.number(this.#slow);
    this.#slowScale = io.number(this.#slowScale);
    this.#long = io.number(this.#long);
    this.#all = io.number(this.#all);
    this.#allScale = io.number(this.#allScale);
    this.#allMagnitude = io.number(this.#allMagnitude);
    this.#trend = io.number(this.#trend);
    this.#jumpScale = io.number(this.#jumpScale);
    this.#shortJumps = io.number(this.#shortJumps);
    this.#longJumps = io.number(this.#longJumps);
    this.#seasonDeviation = io.number(this.#seasonDeviation);
    this.#logSlow = io.number(this.#logSlow);
    this.#logScale = io.number(this.#logScale);
    this.#errorScale = io.number(this.#errorScale);
    this.#lastError = io.number(this.#lastError);
    this.#fastError = io.number(this.#fastError);
    this.#middleError = io.number(this.#middleError);
    this.#bias = io.number(this.#bias);
    io.doubles(this.#errors);
    for (const season of this.#seasons) season.walk(io);
    for (const tail of this.#tails) tail.walk(io);
  }

  #begin(value: number): void {
    this.#last = this.#lowest = this.#highest = value;
    this.#fast = this.#middle = this.#slow = this.#long = this.#all = value;
    this.#allMagnitude = Math.abs(value);
    this.#logSlow = this.#logarithm(value);
  }

  #judge(timeMs: number, value: number, gap: number): void {
    const floor =
      RANGE_FLOOR * (this.#highest - this.#lowest) + this.#marginRatio * Math.abs(this.#slow) + Number.MIN_VALUE;
    const season = this.#bestSeason(timeMs);
    this.#judgeForecast(value, season?.expected ?? null, season?.error ?? 0, floor);
    this.#judgeSeason(value, season, floor);
    this.#judgeJump(value, floor, gap);
    this.#judgeLevels(value, floor);
    this.#judgeMagnitude(value);
  }

  /** The profile that fits best, of those that know this time. */
  #bestSeason(timeMs: number): { expected: number; error: number } | null {
    let best: { expected: number; error: number } | null = null;
    for (const season of this.#seasons) {
      const expected = season.expected(timeMs);
      if (expected === null || !(season.error < (best?.error ?? Number.POSITIVE_INFINITY))) continue;
      best = { expected, error: season.error };
    }
    return best;
  }

  /** The forecasters that erred least lately weigh most; their joint error is summed up into the bias. */
  #judgeForecast(value: number, seasonal: number | null, seasonalError: number, floor: number): void {
    const last = (this.#lastError + floor) ** -FORECAST_POWER;
    const fast = (this.#fastError + floor) ** -FORECAST_POWER;
    const middle = (this.#middleError + floor) ** -FORECAST_POWER;
    const ofSeason = seasonal === null ? 0 : (seasonalError + floor) ** -FORECAST_POWER;
    const weighted = last * this.#last + fast * this.#fast + middle * this.#middle + ofSeason * (seasonal ?? 20);
    const total = last + fast + middle + ofSeason;
    this.expected = Number.isFinite(weighted) && total > 0 ? weighted / total : this.#middle;
    const error = value - this.expected;
    const cut = clamp(error / (this.#errorScale + floor), ERROR_CUT);
    const at = this.#points % BIAS_POINTS;
    this.#bias += cut - this.#errors[at]!;
    this.#errors[at] = cut;
    this.#surprise(BIAS, this.#bias / Math.sqrt(BIAS_POINTS));
    const share = this.#share(FORECAST_HALF_LIFE);
    this.#lastError += share * (Math.abs(value - this.#last) - this.#lastError);
    this.#fastError += share * (Math.abs(value - this.#fast) - this.#fastError);
    this.#middleError += share * (Math.abs(value - this.#middle) - this.#middleError);
    const most = this.#errorScale > 0 ? 5 * this.#errorScale : Math.abs(error);
    this.#errorScale += share * (Math.min(Math.abs(error), most) - this.#errorScale);
  }

  #judgeSeason(value: number, season: { expected: number; error: number } | null, floor: number): void {
    if (season === null) {
      this.surprises[SEASON] = 0;
      return;
    }
    const deviation = clamp((value - season.expected) / (season.error + floor), ERROR_CUT + 1);
    this.#seasonDeviation += SEASON_SHARE * (deviation - this.#seasonDeviation);
    this.#surprise(SEASON, this.#seasonDeviation);
  }

  #judgeJump(value: number, floor: number, gap: number): void {
    // A series that wanders is further away after a longer time, by the root of it.
    const jump = (value - this.#last) / Math.sqrt(gap);
    const size = Math.abs(jump);
    this.#surprise(JUMP, jump / (this.#jumpScale + floor));
    const cut = Math.min(size, 6 * (this.#longJumps + floor));
    this.#shortJumps += Math.max(VOLATILITY_SHARE, 1 / this.#points) * (cut - this.#shortJumps);
    this.#surprise(VOLATILITY, Math.log2((this.#shortJumps + floor) / (this.#longJumps + floor)));
    this.#trend += TREND_SHARE * (jump - this.#trend);
    this.#jumpScale += this.#share(SLOW_HALF_LIFE) * (size - this.#jumpScale);
    this.#longJumps += this.#share(SCALE_HALF_LIFE) * (size - this.#longJumps);
    this.#surprise(TREND, this.#trend / (this.#jumpScale + floor));
  }

  #judgeLevels(value: number, floor: number): void {
    this.#surprise(LEVEL, (this.#middle - this.#slow) / (this.#slowScale + floor));
    this.#long += Math.max(LONG_SHARE, 1 / this.#points) * (value - this.#long);
    const count = Math.min(this.#points, HISTORY_POINTS);
    this.#surprise(DRIFT, (this.#long - this.#all) / (this.#allScale + floor));
    this.#all += (value - this.#all) / count;
    this.#allScale += (Math.abs(value - this.#all) - this.#allScale) / count;
    this.#slowScale += this.#share(SCALE_HALF_LIFE) * (Math.abs(value - this.#slow) - this.#slowScale);
    this.#fast += FAST_SHARE * (value - this.#fast);
    this.#middle += MIDDLE_SHARE * (value - this.#middle);
    this.#slow += this.#share(SLOW_HALF_LIFE) * (value - this.#slow);
  }

  /** In a logarithmic view a fall to a tenth is as large as a rise to ten times. */
  #judgeMagnitude(value: number): void {
    const logarithm = this.#logarithm(value);
    this.#surprise(MAGNITUDE, (logarithm - this.#logSlow) / (this.#logScale + this.#marginRatio));
    this.#logScale += this.#share(SCALE_HALF_LIFE) * (Math.abs(logarithm - this.#logSlow) - this.#logScale);
    this.#logSlow += this.#share(SLOW_HALF_LIFE) * (logarithm - this.#logSlow);
    this.#allMagnitude += (Math.abs(value) - this.#allMagnitude) / Math.min(this.#points, HISTORY_POINTS);
  }

  #logarithm(value: number): number {
    return Math.asinh(value / (LOG_FLOOR * this.#allMagnitude + Number.MIN_VALUE));
  }

  #surprise(at: number, statistic: number): void {
    if (this.#points <= POINTS_TO_SETTLE) return;
    const upward = this.#tails[2 * at]!.observe(Math.max(0, statistic));
    const downward = this.#tails[2 * at + 1]!.observe(Math.max(0, -statistic));
    this.surprises[at] = statistic >= 0 ? upward : downward;
  }

  /** The share a new point has in a mean with this half-life; a plain mean while there are few points. */
  #share(halfLife: number): number {
    return Math.max(1 - 2 ** (-1 / halfLife), 1 / this.#points);
  }
}

/** Half-hours of a day, hours of a week, and 48 parts of anything else. */
function bucketsOf(periodMs: number): number {
  return periodMs > DAY_MS ? Math.min(168, Math.round(periodMs / HOUR_MS)) : 48;
}

function clamp(value: number, most: number): number {
  return Math.max(-most, Math.min(most, value));
}
