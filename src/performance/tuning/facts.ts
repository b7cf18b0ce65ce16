import type { Connector } from '../../connectors/format.ts';
import { pageSizeRange } from '../../connectors/pagination/pageSizeRange.ts';
import { takesParallelStreams } from '../../connectors/parallelStreams.ts';
import { DEFAULT_DEADLINES } from '../../outgoing/callSettings.ts';
import { Histogram } from '../histogram.ts';
import type { SeriesBucket } from '../store/seriesQueries.ts';
import { medianOf } from '../trend.ts';
import { PHASES, type Phase } from '../types.ts';
import type { EndedRun } from './periodQueries.ts';
import { TUNING_BOUNDS } from './tuningInput.ts';
import type { Tuning, TuningSettings } from './types.ts';

/** What a change is chosen from: the calls and runs of a period, and the settings as they were. */
export interface TuningFacts {
  readonly tuning: TuningSettings;
  /** Settings in force, the defaults filled in. */
  readonly pageSizePercent: number;
  readonly streamConcurrency: number;
  readonly rateSharePercent: number;
  readonly headersMs: number;
  readonly totalMs: number;
  readonly cacheValidators: boolean;
  /** Of the stream whose answers are most often the same: the share of its reads that a validator would have spared. */
  readonly sameAnswerShare: number;
  /** Percentages at which some stream's pages still change. */
  readonly pagePercentRange: { readonly min: number; readonly max: number };
  /** Streams that a run reads, and how many of them it may read at the same time. */
  readonly streams: number;
  readonly parallelStreams: number;
  /** Median. */
  readonly pagesPerRun: number;
  /** Attempts of syncs. */
  readonly calls: number;
  readonly rateLimited: number;
  readonly tooLarge: number;
  readonly headerTimeouts: number;
  readonly bodyTimeouts: number;
  /** Of good calls. */
  readonly firstByteCalls: number;
  readonly firstByteP99Ms: number | null;
  readonly firstByteP999Ms: number | null;
  /** Where the time of all attempts went; together 1, or all 0. `total` is none of them. */
  readonly timeShares: Readonly<Record<Exclude<Phase, 'total'>, number>>;
}

export interface FactsInput {
  readonly tuning: Tuning;
  readonly connector: Connector;
  /** Names, or undefined for those that are on by default. */
  readonly chosenStreams: readonly string[] | undefined;
  readonly runs: readonly EndedRun[];
  /** Of operation `sync`. */
  readonly series: readonly SeriesBucket[];
}

export function factsOf({ tuning, connector, chosenStreams, runs, series }: FactsInput): TuningFacts {
  const streams = connector.streams.filter(
    ({ name, default: isDefault }) => chosenStreams?.includes(name) ?? isDefault,
  );
  const good = histogramOf(
    series.filter(({ outcome }) => outcome === 'success'),
    'first_byte',
  );
  const timeouts = series.filter(({ outcome }) => outcome === 'timeout');
  const headsCame = histogramOf(timeouts, 'first_byte').count;
  const ranges = streams.flatMap(({ pagination }) => pageSizeRange(pagination ?? connector.pagination) ?? []);
  return {
    tuning,
    pageSizePercent: tuning.pageSizePercent ?? 100,
    streamConcurrency: tuning.streamConcurrency ?? 1,
    rateSharePercent: tuning.rateSharePercent ?? 100,
    headersMs: tuning.headersMs ?? DEFAULT_DEADLINES.headersMs,
    totalMs: tuning.totalMs ?? DEFAULT_DEADLINES.totalMs,
    cacheValidators: tuning.cacheValidators ?? connector.cacheValidators ?? false,
    sameAnswerShare: sameAnswerShareOf(runs),
    pagePercentRange: {
      // Infinity, which nothing is above, where no size can be set.
      min: Math.max(TUNING_BOUNDS.pageSizePercent[0], Math.min(...ranges.map(({ min, value }) => percent(min, value)))),
      max: Math.max(100, ...ranges.map(({ max, value }) => percent(max, value))),
    },
    streams: streams.length,
    parallelStreams: takesParallelStreams(connector) ? streams.length : 1,
    pagesPerRun: runs.length === 0 ? 0 : medianOf(runs.map(({ pages }) => pages)),
    calls: callsOf(series),
    rateLimited: callsOf(series.filter(({ outcome }) => outcome === 'rate_limited')),
    tooLarge: callsOf(series.filter(({ outcome }) => outcome === 'response_too_large')),
    // Connected, and no head of an answer came; or it came, and the rest did not.
    headerTimeouts: Math.max(0, histogramOf(timeouts, 'connect').count - headsCame),
    bodyTimeouts: headsCame,
    firstByteCalls: good.count,
    firstByteP99Ms: good.quantile(0.99),
    firstByteP999Ms: good.quantile(0.999),
    timeShares: timeSharesOf(series),
  };
}

function sameAnswerShareOf(runs: readonly EndedRun[]): number {
  const reads = new Map<string, { all: number; same: number }>();
  for (const { status, read, same } of runs) {
    if (status === 'failed') continue;
    for (const stream of read) {
      const counts = reads.get(stream) ?? { all: 0, same: 0 };
      reads.set(stream, { all: counts.all + 1, same: counts.same + (same.includes(stream) ? 1 : 0) });
    }
  }
  return Math.max(0, ...[...reads.values()].map(({ all, same }) => same / all));
}

function timeSharesOf(series: readonly SeriesBucket[]): TuningFacts['timeShares'] {
  const parts = PHASES.filter((phase) => phase !== 'total');
  const sums = parts.map((phase) => histogramOf(series, phase).sum);
  const all = sums.reduce((total, sum) => total + sum, 0);
  return Object.fromEntries(
    parts.map((phase, index) => [phase, all === 0 ? 0 : sums[index]! / all]),
  ) as TuningFacts['timeShares'];
}

function histogramOf(series: readonly SeriesBucket[], phase: Phase): Histogram {
  const merged = new Histogram();
  for (const { phases } of series) {
    const one = phases.get(phase);
    if (one !== undefined) merged.merge(one);
  }
  return merged;
}

function callsOf(series: readonly SeriesBucket[]): number {
  return series.reduce((sum, { calls }) => sum + calls, 0);
}

function percent(size: number, of: number): number {
  return Math.floor((100 * size) / of);
}
