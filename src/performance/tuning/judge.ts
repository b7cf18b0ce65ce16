import type { ExperimentLimits } from './experimentLimits.ts';
import { moreFailures } from './moreFailures.ts';
import { compareSamples } from './rankSum.ts';
import type { Goal, PeriodMeasures } from './types.ts';

/** A gain below this is not worth a setting that somebody has to know about. */
const WORTHWHILE = 0.05;
const SIGNIFICANT = 0.05;
/** Failures are looked at again and again, so each look has to be surer. */
const ALARM = 0.001;
const ALARM_FAILED_CALLS = 10;

export type Judgement =
  | { readonly status: 'running' }
  | {
      readonly status: 'kept' | 'rolled_back' | 'inconclusive';
      readonly verdict: string;
      readonly performanceGain: number | null;
      readonly confidence: number | null;
    };

/**
 * Decides what becomes of a change. Failures take it back at once, whenever they are seen. Throughput is compared
 * once, when the period since the change has as many runs as were wanted or its time is up: looking again with every
 * run would make chance look like a gain sooner or later.
 */
export function judge(
  goal: Goal,
  before: PeriodMeasures,
  after: PeriodMeasures,
  { limits, isDue }: { readonly limits: ExperimentLimits; readonly isDue: boolean },
): Judgement {
  const alarm = alarmOf(before, after);
  const measured = measure(before, after);
  if (alarm !== null) return { status: 'rolled_back', verdict: alarm, ...shown(measured) };
  if (after.throughputs.length < limits.runs && !isDue) return { status: 'running' };
  const pFewer = moreFailures(
    { count: after.calls, failed: after.failedCalls },
    { count: before.calls, failed: before.failedCalls },
  );
  if (goal === 'errors' && pFewer <= SIGNIFICANT) {
    const verdict = `failed calls: ${shareOf(after)}, after ${shareOf(before)} (p = ${short(pFewer)})`;
    return { status: 'kept', verdict, ...shown(measured) };
  }
  if (measured === null) {
    const verdict = `no runs to compare since the change; ${limits.runs} are wanted`;
    return { status: 'inconclusive', verdict, performanceGain: null, confidence: null };
  }
  const { gain, p } = measured;
  const figures = `${short(after.recordsPerSecond!)} records a second, after ${short(before.recordsPerSecond!)}; p = ${short(p)}`;
  const status =
    p > SIGNIFICANT ? 'inconclusive' : gain >= WORTHWHILE ? 'kept' : gain < 0 ? 'rolled_back' : 'inconclusive';
  const words = {
    kept: 'it is faster',
    rolled_back: 'it is slower',
    inconclusive: 'no gain could be told from chance',
  };
  return { status, verdict: `${words[status]}: ${figures}`, ...shown(measured) };
}

interface Measured {
  /** 0.1 is 10 % faster. */
  readonly gain: number;
  /** Two-sided: of a difference as large in either direction by chance. */
  readonly p: number;
}

function measure(before: PeriodMeasures, after: PeriodMeasures): Measured | null {
  if (before.throughputs.length === 0 || after.throughputs.length === 0) return null;
  const { ratio, pHigher, pLower } = compareSamples(before.throughputs, after.throughputs);
  return { gain: ratio - 1, p: Math.min(1, 2 * Math.min(pHigher, pLower)) };
}

function shown(measured: Measured | null): { performanceGain: number | null; confidence: number | null } {
  if (measured === null) return { performanceGain: null, confidence: null };
  return { performanceGain: 100 * measured.gain, confidence: 1 - measured.p };
}

/** Why the change has to be taken back now, or null. */
function alarmOf(before: PeriodMeasures, after: PeriodMeasures): string | null {
  if (after.failedCalls >= ALARM_FAILED_CALLS) {
    const p = moreFailures(
      { count: before.calls, failed: before.failedCalls },
      { count: after.calls, failed: after.failedCalls },
    );
    if (p <= ALARM) return `calls fail more often: ${shareOf(after)}, after ${shareOf(before)} (p = ${short(p)})`;
  }
  if (after.failedRuns === 0) return null;
  const runsBefore = { count: before.succeededRuns + before.failedRuns, failed: before.failedRuns };
  const runsAfter = { count: after.succeededRuns + after.failedRuns, failed: after.failedRuns };
  // The first failure after a period without any is enough: a change is cheap to try again, a sync is not.
  if (before.failedRuns === 0 || moreFailures(runsBefore, runsAfter) <= SIGNIFICANT)
    return `syncs fail: ${runsAfter.failed} of ${runsAfter.count}, after ${runsBefore.failed} of ${runsBefore.count}`;
  return null;
}

function shareOf({ failedCalls, calls }: PeriodMeasures): string {
  return `${failedCalls} of ${calls}`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
