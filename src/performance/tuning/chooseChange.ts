import type { TuningFacts } from './facts.ts';
import { TUNING_BOUNDS } from './tuningInput.ts';
import type { Goal, Knob, SettingValue, TuningChange } from './types.ts';

/** A failure counts as a pattern from this share of the attempts on, and this many. */
const PATTERN = 0.02;
const PATTERN_CALLS = 5;
/** Being told to slow down is expected now and then, and the pipeline's own control answers it. */
const THROTTLED = 0.05;
/** A part that takes this share of the time dominates it. */
const DOMINATES = 0.5;
/** Where calls wait for their budget this long, more calls at a time would wait as well. */
const WAITS = 0.2;
/** A deadline is set to this many times the slowest call of a thousand. */
const DEADLINE_MARGIN = 4;
/** Share of the reads of a stream that brought the answer of the read before. */
const MOSTLY_THE_SAME = 0.5;
/** Fewer good calls do not tell how slow one of a thousand is. */
const CALLS_FOR_TAIL = 200;
const LOWEST_EXPERIMENTAL_SHARE = 25;

/** What to try next, or why nothing. */
export type Choice =
  | { readonly kind: 'change'; readonly change: TuningChange }
  | { readonly kind: 'nothing'; readonly reason: string };

type Rule = (facts: TuningFacts) => TuningChange | null;

/**
 * Chooses one change: the first whose evidence is there, that has room within its bounds, and that was not tried
 * without success lately. Pure: equal facts, equal choice. Failures come before speed.
 */
export function chooseChange(facts: TuningFacts, wasTried: (knob: Knob, to: SettingValue) => boolean): Choice {
  const found = RULES.flatMap((rule) => rule(facts) ?? []);
  const change = found.find(({ knob, to }) => !wasTried(knob, to));
  if (change !== undefined) return { kind: 'change', change };
  const reason =
    found.length > 0
      ? `what the figures speak for (${found.map(({ knob, to }) => `${knob} ${to}`).join(', ')}) was tried lately and not kept`
      : `no part of the time and no failure stands out that a setting within its bounds could change`;
  return { kind: 'nothing', reason };
}

/** Answers that come, but too late. */
const raiseDeadline: Rule = (facts) => {
  const { headerTimeouts, firstByteP99Ms: p99, headersMs } = facts;
  if (!isPattern(facts, headerTimeouts) || p99 === null || p99 < headersMs / 2) return null;
  const to = Math.min(2 * headersMs, facts.totalMs, TUNING_BOUNDS.headersMs[1]);
  if (to <= headersMs) return null;
  const reason = 'answers run into the deadline, and those that come take more than half of it';
  return change(facts, 'headersMs', to, 'errors', reason, { headerTimeouts, firstByteP99Ms: p99, headersMs });
};

/** Pages that are too large, or take too long to arrive. */
const smallerPages: Rule = (facts) => {
  const { tooLarge, bodyTimeouts, pageSizePercent } = facts;
  const to = Math.round(pageSizePercent / 2);
  if (!isPattern(facts, tooLarge + bodyTimeouts) || to < facts.pagePercentRange.min) return null;
  const reason = 'answers are too large or do not arrive whole in time';
  return change(facts, 'pageSizePercent', to, 'errors', reason, { tooLarge, bodyTimeouts });
};

/** Calls that hang, long after any answer would have come. */
const lowerDeadline: Rule = (facts) => {
  const { headerTimeouts, firstByteP999Ms: p999, headersMs, firstByteCalls } = facts;
  if (!isPattern(facts, headerTimeouts) || p999 === null || firstByteCalls < CALLS_FOR_TAIL) return null;
  const to = Math.max(TUNING_BOUNDS.headersMs[0], Math.ceil((p999 * DEADLINE_MARGIN) / 1_000) * 1_000);
  if (to > headersMs / 2) return null;
  const reason = 'calls hang until the deadline, which is far beyond the slowest answer of a thousand';
  return change(facts, 'headersMs', to, 'throughput', reason, { headerTimeouts, firstByteP999Ms: p999, headersMs });
};

/** A budget that is larger than what the provider grants. */
const smallerShare: Rule = (facts) => {
  const { rateLimited, rateSharePercent } = facts;
  const to = Math.round(rateSharePercent * 0.75);
  if (!isPattern(facts, rateLimited, THROTTLED) || to < LOWEST_EXPERIMENTAL_SHARE) return null;
  const reason = 'the provider refuses calls for their rate, although the pipeline slows down by itself';
  return change(facts, 'rateSharePercent', to, 'errors', reason, { rateLimited, calls: facts.calls });
};

/** Answers that come again and again, and are known by their validators. */
const sendValidators: Rule = (facts) => {
  const { sameAnswerShare, cacheValidators, tuning } = facts;
  // A hand that has switched it off has its reasons.
  if (cacheValidators || tuning.cacheValidators === false || sameAnswerShare < MOSTLY_THE_SAME) return null;
  const reason = 'the provider gives the same answer again in most reads of a stream, and could say so instead';
  return change(facts, 'cacheValidators', true, 'throughput', reason, { sameAnswerShare: round(sameAnswerShare) });
};

/** Calls, or the right to make them, cost more than what they bring. */
const largerPages: Rule = (facts) => {
  const { timeShares, pageSizePercent, pagesPerRun, streams } = facts;
  const to = Math.min(2 * pageSizePercent, facts.pagePercentRange.max, TUNING_BOUNDS.pageSizePercent[1]);
  // With one page a stream there are no calls to save.
  if (to <= pageSizePercent || pagesPerRun < 2 * streams) return null;
  const evidence = { firstByte: round(timeShares.first_byte), rateLimit: round(timeShares.rate_limit), pagesPerRun };
  if (timeShares.rate_limit >= DOMINATES)
    return change(facts, 'pageSizePercent', to, 'throughput', 'calls wait for their rate budget', evidence);
  if (timeShares.first_byte + timeShares.rate_limit < DOMINATES) return null;
  const reason = 'most of the time is spent waiting for answers to begin, page by page';
  return change(facts, 'pageSizePercent', to, 'throughput', reason, evidence);
};

/** One stream waits for the other. */
const moreStreams: Rule = (facts) => {
  const { timeShares, streamConcurrency, streams, parallelStreams } = facts;
  const to = Math.min(2 * streamConcurrency, parallelStreams, TUNING_BOUNDS.streamConcurrency[1]);
  const waiting = timeShares.connect + timeShares.first_byte + timeShares.body;
  if (to <= streamConcurrency || waiting < DOMINATES || timeShares.rate_limit >= WAITS) return null;
  const reason = 'streams wait for each other while most of the time is spent waiting for the provider';
  return change(facts, 'streamConcurrency', to, 'throughput', reason, { waiting: round(waiting), streams });
};

const RULES: readonly Rule[] = [
  raiseDeadline,
  smallerPages,
  lowerDeadline,
  smallerShare,
  sendValidators,
  largerPages,
  moreStreams,
];

function isPattern({ calls }: TuningFacts, count: number, share = PATTERN): boolean {
  return count >= PATTERN_CALLS && count >= share * calls;
}

function change(
  { tuning }: TuningFacts,
  knob: Knob,
  to: SettingValue,
  goal: Goal,
  reason: string,
  evidence: TuningChange['evidence'],
): TuningChange {
  return { knob, from: tuning[knob], to, goal, reason, evidence };
}

function round(share: number): number {
  return Number(share.toFixed(3));
}
