/** What an experiment may change. The other settings are for hands only. */
export type Knob = 'pageSizePercent' | 'streamConcurrency' | 'rateSharePercent' | 'headersMs' | 'cacheValidators';

/** What differs from the connector and the defaults; null is theirs. */
export interface TuningSettings {
  /** Size of pages in percent of the connector's, within what it says the API takes. */
  readonly pageSizePercent: number | null;
  /** Streams of a sync that are read at the same time; 1 by default. */
  readonly streamConcurrency: number | null;
  /** Share of every rate budget that is used, in percent. */
  readonly rateSharePercent: number | null;
  /** Deadlines of an attempt, in milliseconds: until connected, until the head of the answer, in all. */
  readonly connectMs: number | null;
  readonly headersMs: number | null;
  readonly totalMs: number | null;
  /** Whether reads ask only if an answer is still the one that they know, where that is certain; not by default. */
  readonly cacheValidators: boolean | null;
}

export type SettingValue = number | boolean;

/** The settings as stored. */
export interface Tuning extends TuningSettings {
  /** 0 when nothing was ever set. */
  readonly version: number;
  /** ISO 8601. */
  readonly updatedAt: string | null;
}

export const UNTUNED: Tuning = {
  pageSizePercent: null,
  streamConcurrency: null,
  rateSharePercent: null,
  connectMs: null,
  headersMs: null,
  totalMs: null,
  cacheValidators: null,
  version: 0,
  updatedAt: null,
};

/** What a change is to bring: more records brought up to date a second, or fewer failed calls. */
export type Goal = 'throughput' | 'errors';

export interface TuningChange {
  readonly knob: Knob;
  /** Null: as the connector says. */
  readonly from: SettingValue | null;
  readonly to: SettingValue;
  readonly goal: Goal;
  readonly reason: string;
  readonly evidence: Readonly<Record<string, number>>;
}

/** Comparable runs of a period, and every attempt of syncs in it. */
export interface PeriodMeasures {
  /** ISO 8601. */
  readonly from: string;
  readonly until: string;
  /** Records that were read or confirmed, a second, of each comparable run, in order of time. */
  readonly throughputs: readonly number[];
  /** Median of the above; null without runs. */
  readonly recordsPerSecond: number | null;
  readonly succeededRuns: number;
  readonly failedRuns: number;
  readonly calls: number;
  readonly failedCalls: number;
}

export type ExperimentStatus = 'running' | 'kept' | 'rolled_back' | 'inconclusive' | 'reverted';

export interface Experiment {
  readonly id: string;
  readonly integrationId: string;
  readonly status: ExperimentStatus;
  readonly change: TuningChange;
  readonly before: PeriodMeasures;
  /** So far, while it runs; as it was decided on, afterwards. */
  readonly after: PeriodMeasures | null;
  /** Measured, in percent; null before it is measured and where it cannot be. */
  readonly performanceGain: number | null;
  /** 1 − p that the gain (or the loss) is no chance, between 0 and 1. */
  readonly confidence: number | null;
  /** Why it ended so, in words; null while it runs. */
  readonly verdict: string | null;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly decideBy: string;
  readonly finishedAt: string | null;
}

/** What `optimize` answers. */
export interface OptimizationResult {
  readonly integrationId: string;
  /**
   * `started`: a change was applied just now. `running`: one is being measured. `kept` and `rolled_back`: this call
   * found that it had been decided. The others change nothing.
   */
  readonly status: 'started' | 'running' | 'kept' | 'rolled_back' | 'nothing_to_do' | 'not_enough_data';
  /** Why, in words. */
  readonly reason: string;
  readonly experimentId: string | null;
  readonly change: TuningChange | null;
  /** Measured, in percent; never estimated. */
  readonly performanceGain: number | null;
  readonly confidence: number | null;
  readonly before: PeriodMeasures | null;
  readonly after: PeriodMeasures | null;
  readonly startedAt: string | null;
  readonly decideBy: string | null;
  /** The call that takes it back; null when there is nothing to take back. */
  readonly revert: string | null;
}
