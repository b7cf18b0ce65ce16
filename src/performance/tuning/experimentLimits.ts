/** How experiments are made; tests take smaller windows. */
export interface ExperimentLimits {
  /** Comparable runs that each period needs; with so many since the change, it is decided, once. */
  readonly runs: number;
  /** Attempts that the period before needs. */
  readonly calls: number;
  /** Records that a run brings at least to tell anything about throughput. */
  readonly recordsPerRun: number;
  /** How far back the period before reaches. */
  readonly windowMs: number;
  /** How long an experiment may take at most, and is given at least. */
  readonly longestMs: number;
  readonly shortestMs: number;
  /** A change that was not kept is not tried again for this long. */
  readonly coolDownMs: number;
  /** What began before the change was known everywhere counts to neither period. */
  readonly settleMs: number;
}

const HOUR_MS = 3_600_000;

export const DEFAULT_LIMITS: ExperimentLimits = {
  runs: 8,
  calls: 50,
  recordsPerRun: 20,
  windowMs: 7 * 24 * HOUR_MS,
  longestMs: 7 * 24 * HOUR_MS,
  shortestMs: 24 * HOUR_MS,
  coolDownMs: 7 * 24 * HOUR_MS,
  settleMs: 1_000,
};

/** Newest runs of a period that are looked at. */
export const MOST_RUNS = 60;
