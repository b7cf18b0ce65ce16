import { InvalidInputError } from '../../core/errors.ts';
import { AnomalySignals, SIGNAL_NAMES, type SignalName } from './anomalySignals.ts';
import { malformed, type StateIo, StateReader, StateWriter } from './stateBytes.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Timestamps whose first one lies here are epoch seconds: as milliseconds they would be days in 1970. */
const SECONDS_FROM = 3e8;
const SECONDS_UNTIL = 1e11;
/** Timestamps that begin below this and go on by one are numbers of points. */
const INDEX_UNTIL = 1e6;
/** Weight of the second most surprised signal: two that agree count for more than one. */
const AGREEMENT = 0.6;
/** Surprise (in powers of ten) that scores 0.5; chosen on a public benchmark, see docs/performance.md. */
const ALARM_SURPRISE = 5;
/** How steeply the score rises around an alarm. */
const STEEPNESS = 4;
/** A point this much more surprising than the last alarm is an alarm of its own, also in the refractory period. */
const ESCALATION = 2;
const LONGEST_GAP = 100;
const MOST_PERIODS = 4;
/** Of the snapshot's form: another one is refused, and the series is learnt anew. */
const SNAPSHOT_VERSION = 1;

export interface AnomalyDetectorOptions {
  /** Points to learn from before anything is reported; scores are 0 until then. Default 100. */
  readonly probationPoints?: number;
  /** Least points without another alarm after one. Default 100. */
  readonly refractoryPoints?: number;
  /** The same as a share of all points seen, when that is longer: an old series has seen most of what happens. Default 0.03. */
  readonly refractoryRatio?: number;
  /** Changes well below this share of the level are no anomaly, however quiet the series is. Default 0.01. */
  readonly marginRatio?: number;
  /** Lengths of the seasons to learn, in milliseconds, at most four. Default: an hour, a day and a week. */
  readonly periodsMs?: readonly number[];
}

/** Why the last point got its score. */
export interface AnomalyEvidence {
  readonly score: number;
  /** −log10 of how rare the point is: the largest surprise, and 0.6 of the second largest. 5 is an alarm. */
  readonly surprise: number;
  /** The signal that was surprised most. */
  readonly signal: SignalName;
  /** What was expected, or null while nothing is known. */
  readonly expected: number | null;
  readonly signals: Readonly<Record<SignalName, number>>;
  /** The point belongs to an alarm already given. */
  readonly refractory: boolean;
}

/** Takes the points of one series in their order, and scores each by those before it. */
export interface AnomalyDetector {
  /**
   * The score of this point: 0 is usual, from 0.5 on it is an alarm, and 1 is beyond anything. Never throws.
   *
   * `timestamp` is a Date, epoch milliseconds, epoch seconds, or ISO 8601 text (UTC where it names no zone); mere
   * numbers of points (0, 1, 2 …) are taken for hours. One that is none, or goes back, counts as one usual interval
   * after the last. A value that is no finite number is a missing
   * point: it scores 0 and teaches nothing.
   */
  (timestamp: number | Date | string, value: number): number;
  /** Evidence for the score of the last point; null before the first one, and after a missing point. */
  explain(): AnomalyEvidence | null;
  /**
   * Everything it knows, as 5 to 20 KB. `createAnomalyDetector({ snapshot })` goes on from there, here or in another
   * process, and gives the same scores as if nothing had come between; only `explain()` begins with the next point.
   */
  snapshot(): Uint8Array;
}

/**
 * A detector for one series of measurements of any kind, scale and interval. It looks back only, does a bounded amount
 * of work for each point (some microseconds), holds about 10 KB however long the series is, and has no randomness:
 * equal points give equal scores.
 *
 * Eight signals look at each point (jump, season, level, drift, trend, bias, magnitude, volatility). Each is calibrated
 * by its own past, so that its surprise is the tail probability in powers of ten; the two largest make the score. After
 * an alarm (0.5 and more) points of the refractory period score half, and thus stay below 0.5.
 *
 * @param options how it judges, or the snapshot of a detector, which holds its options
 * @throws InvalidInputError an option is out of its range, or the snapshot is none of this version
 */
export function createAnomalyDetector(
  options: AnomalyDetectorOptions | { readonly snapshot: Uint8Array } = {},
): AnomalyDetector {
  const series = 'snapshot' in options ? restore(options) : new DetectedSeries(checkOptions(options));
  const detect = (timestamp: number | Date | string, value: number) => series.score(timestamp, value);
  return Object.assign(detect, { explain: () => series.evidence(), snapshot: () => series.snapshot() });
}

function restore({ snapshot, ...others }: { readonly snapshot: Uint8Array }): DetectedSeries {
  if (Object.keys(others).length > 0) throw malformed('other options cannot stand beside it, as it holds its own');
  if (!(snapshot instanceof Uint8Array)) throw malformed('it is no Uint8Array');
  const io = new StateReader(snapshot);
  const version = io.number();
  if (version !== SNAPSHOT_VERSION) throw malformed(`version ${version} is not known, only ${SNAPSHOT_VERSION}`);
  const [probationPoints, refractoryPoints, refractoryRatio, marginRatio, periods] = [0, 1, 2, 3, 4].map(() =>
    io.number(),
  ) as [number, number, number, number, number];
  if (!(periods >= 0 && periods <= MOST_PERIODS)) throw malformed('its options are out of their range');
  const periodsMs = Array.from({ length: periods }, () => io.number());
  const options = { probationPoints, refractoryPoints, refractoryRatio, marginRatio, periodsMs };
  const series = new DetectedSeries(checkOptions(options));
  series.walk(io);
  io.finish();
  return series;
}

class DetectedSeries {
  readonly #options: Required<AnomalyDetectorOptions>;
  readonly #signals: AnomalySignals;
  #unitMs = 1;
  #timeMs = Number.NaN;
  #intervalMs = Number.NaN;
  #points = 0;
  #quietUntil = 0;
  /** Surprise of the last alarm. */
  #alarmed = 0;
  #last: { surprise: number; score: number; signal: number; refractory: boolean } | null = null;

  constructor(options: Required<AnomalyDetectorOptions>) {
    this.#options = options;
    this.#signals = new AnomalySignals(options.periodsMs, options.marginRatio);
  }

  score(timestamp: number | Date | string, value: number): number {
    if (!Number.isFinite(value)) {
      this.#last = null;
      return 0;
    }
    const gap = this.#advance(timestamp);
    this.#points++;
    this.#signals.observe(this.#timeMs, value, this.#intervalMs || HOUR_MS, gap);
    this.#last = this.#judge();
    return this.#last.score;
  }

  /** Moves the clock on, and returns how many usual intervals passed. */
  #advance(timestamp: number | Date | string): number {
    const given = epochOf(timestamp);
    if (Number.isNaN(this.#timeMs)) {
      if (typeof timestamp === 'number' && given >= SECONDS_FROM && given < SECONDS_UNTIL) this.#unitMs = 1_000;
      this.#timeMs = Number.isFinite(given) ? given * this.#unitMs : 0;
      return 1;
    }
    if (this.#points === 1 && this.#unitMs === 1 && this.#timeMs < INDEX_UNTIL && given - this.#timeMs === 1) {
      this.#unitMs = HOUR_MS;
      this.#timeMs *= HOUR_MS;
    }
    const passed = given * this.#unitMs - this.#timeMs;
    if (!(passed > 0 && Number.isFinite(passed))) {
      this.#timeMs += this.#intervalMs || 0;
      return 1;
    }
    this.#timeMs += passed;
    if (Number.isNaN(this.#intervalMs)) this.#intervalMs = passed;
    const gap = passed / this.#intervalMs;
    this.#intervalMs += 0.05 * (Math.max(0.5, Math.min(2, gap)) - 1) * this.#intervalMs;
    return Math.max(1, Math.min(LONGEST_GAP, gap));
  }

  #judge(): { surprise: number; score: number; signal: number; refractory: boolean } {
    let [first, second, signal] = [0, 0, 0];
    const { surprises } = this.#signals;
    for (let at = 0; at < surprises.length; at++) {
      const surprise = surprises[at]!;
      if (surprise > first) [first, second, signal] = [surprise, first, at];
      else if (surprise > second) second = surprise;
    }
    const surprise = first + AGREEMENT * second;
    const { probationPoints, refractoryPoints, refractoryRatio } = this.#options;
    if (this.#points <= probationPoints) return { surprise, score: 0, signal, refractory: false };
    const score = 1 / (1 + (ALARM_SURPRISE / Math.max(surprise, Number.EPSILON)) ** STEEPNESS);
    if (this.#points < this.#quietUntil && surprise < this.#alarmed + ESCALATION)
      return { surprise, score: score / 2, signal, refractory: true };
    if (surprise >= ALARM_SURPRISE) {
      this.#quietUntil = this.#points + Math.max(refractoryPoints, refractoryRatio * this.#points);
      this.#alarmed = surprise;
    }
    return { surprise, score, signal, refractory: false };
  }

  snapshot(): Uint8Array {
    const { probationPoints, refractoryPoints, refractoryRatio, marginRatio, periodsMs } = this.#options;
    const io = new StateWriter();
    const head = [probationPoints, refractoryPoints, refractoryRatio, marginRatio, periodsMs.length, ...periodsMs];
    for (const value of [SNAPSHOT_VERSION, ...head]) io.number(value);
    this.walk(io);
    return io.finish();
  }

  /** Writes or reads what it remembers. */
  walk(io: StateIo): void {
    this.#unitMs = io.number(this.#unitMs);
    this.#timeMs = io.number(this.#timeMs);
    this.#intervalMs = io.number(this.#intervalMs);
    this.#points = io.number(this.#points);
    this.#quietUntil = io.number(this.#quietUntil);
    this.#alarmed = io.number(this.#alarmed);
    this.#signals.walk(io);
  }

  evidence(): AnomalyEvidence | null {
    if (this.#last === null) return null;
    const { surprise, score, signal, refractory } = this.#last;
    const signals = Object.fromEntries(SIGNAL_NAMES.map((name, at) => [name, this.#signals.surprises[at]!]));
    return {
      score,
      surprise,
      signal: SIGNAL_NAMES[signal]!,
      expected: Number.isNaN(this.#signals.expected) ? null : this.#signals.expected,
      signals: signals as Record<SignalName, number>,
      refractory,
    };
  }
}

function epochOf(timestamp: number | Date | string): number {
  if (typeof timestamp === 'number') return timestamp;
  if (timestamp instanceof Date) return timestamp.getTime();
  const zoned = /(?:z|[+-]\d\d:?\d\d)$/i.test(timestamp) || !/\d:\d\d/.test(timestamp);
  return Date.parse(zoned ? timestamp : `${timestamp.trim().replace(' ', 'T')}Z`);
}

function checkOptions(options: AnomalyDetectorOptions): Required<AnomalyDetectorOptions> {
  const checked = {
    probationPoints: options.probationPoints ?? 100,
    refractoryPoints: options.refractoryPoints ?? 100,
    refractoryRatio: options.refractoryRatio ?? 0.03,
    marginRatio: options.marginRatio ?? 0.01,
    periodsMs: options.periodsMs ?? [HOUR_MS, DAY_MS, 7 * DAY_MS],
  };
  const problems = Object.entries(checked).flatMap(([name, value]) => {
    const values = typeof value === 'number' ? [value] : value;
    const wrong = values.some((one) => !(one >= 0 && Number.isFinite(one)) || (name === 'periodsMs' && one === 0));
    const detail = `has to be ${name === 'periodsMs' ? 'at most four positive numbers' : 'a finite number of at least 0'}`;
    return wrong || values.length > (name === 'periodsMs' ? MOST_PERIODS : 1) ? [{ pointer: `/${name}`, detail }] : [];
  });
  if (problems.length > 0)
    throw new InvalidInputError(
      `The options of the anomaly detector are wrong: ${problems.map((one) => `${one.pointer.slice(1)} ${one.detail}`).join('; ')}.`,
      problems,
    );
  return checked;
}
