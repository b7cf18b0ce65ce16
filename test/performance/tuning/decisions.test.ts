import { describe, expect, test } from 'vitest';
import { chooseChange } from '../../../src/performance/tuning/chooseChange.ts';
import { DEFAULT_LIMITS } from '../../../src/performance/tuning/experimentLimits.ts';
import type { TuningFacts } from '../../../src/performance/tuning/facts.ts';
import { judge } from '../../../src/performance/tuning/judge.ts';
import { type PeriodMeasures, UNTUNED } from '../../../src/performance/tuning/types.ts';

const noTime = { queue: 0, rate_limit: 0, backoff: 0, connect: 0, first_byte: 0, body: 0, write: 0 };
const facts: TuningFacts = {
  tuning: UNTUNED,
  pageSizePercent: 100,
  streamConcurrency: 1,
  rateSharePercent: 100,
  headersMs: 30_000,
  totalMs: 120_000,
  cacheValidators: false,
  sameAnswerShare: 0,
  pagePercentRange: { min: 10, max: 400 },
  streams: 3,
  parallelStreams: 3,
  pagesPerRun: 60,
  calls: 1_000,
  rateLimited: 0,
  tooLarge: 0,
  headerTimeouts: 0,
  bodyTimeouts: 0,
  firstByteCalls: 1_000,
  firstByteP99Ms: 300,
  firstByteP999Ms: 500,
  timeShares: { ...noTime, first_byte: 0.3, body: 0.1, write: 0.6 },
};
const waiting = { ...noTime, first_byte: 0.8, write: 0.2 };
const choose = (given: Partial<TuningFacts>, tried: readonly string[] = []) => {
  const choice = chooseChange({ ...facts, ...given }, (knob, to) => tried.includes(`${knob} ${to}`));
  return choice.kind === 'nothing' ? 'nothing' : `${choice.change.knob} ${choice.change.to} for ${choice.change.goal}`;
};

describe('the choice of a change', () => {
  test.each<[string, Partial<TuningFacts>, string]>([
    ['nothing where the time goes into writing', {}, 'nothing'],
    ['larger pages where calls wait for answers', { timeShares: waiting }, 'pageSizePercent 200 for throughput'],
    [
      'larger pages where calls wait for their budget',
      { timeShares: { ...noTime, rate_limit: 0.7, first_byte: 0.3 } },
      'pageSizePercent 200 for throughput',
    ],
    [
      'no more than the connector allows',
      { timeShares: waiting, pagePercentRange: { min: 10, max: 150 } },
      'pageSizePercent 150 for throughput',
    ],
    [
      'streams at a time where pages have no room',
      { timeShares: waiting, pagePercentRange: { min: 10, max: 100 } },
      'streamConcurrency 2 for throughput',
    ],
    [
      'streams at a time where each has one page',
      { timeShares: waiting, pagesPerRun: 3 },
      'streamConcurrency 2 for throughput',
    ],
    ['no streams at a time that share a login', { timeShares: waiting, pagesPerRun: 3, parallelStreams: 1 }, 'nothing'],
    [
      'a longer deadline where answers come late',
      { headerTimeouts: 30, firstByteP99Ms: 20_000 },
      'headersMs 60000 for errors',
    ],
    ['a shorter deadline where calls hang', { headerTimeouts: 30 }, 'headersMs 2000 for throughput'],
    [
      'no deadline from a handful of calls',
      { headerTimeouts: 30, firstByteCalls: 199, timeShares: facts.timeShares },
      'nothing',
    ],
    ['smaller pages where they do not arrive', { tooLarge: 15, bodyTimeouts: 10 }, 'pageSizePercent 50 for errors'],
    ['a smaller share where the provider refuses', { rateLimited: 60 }, 'rateSharePercent 75 for errors'],
    [
      'validators where answers are mostly the same, before larger pages',
      { sameAnswerShare: 0.5, timeShares: waiting },
      'cacheValidators true for throughput',
    ],
    ['no validators where they are sent already', { sameAnswerShare: 0.9, cacheValidators: true }, 'nothing'],
    [
      'no validators that somebody has switched off',
      { sameAnswerShare: 0.9, tuning: { ...UNTUNED, cacheValidators: false } },
      'nothing',
    ],
    ['no validators where answers are mostly new', { sameAnswerShare: 0.49 }, 'nothing'],
    ['nothing for one refusal in a hundred', { rateLimited: 10 }, 'nothing'],
  ])('takes %s', (_, given, expected) => {
    expect(choose(given)).toBe(expected);
  });

  test('passes over what was tried without success, and says so', () => {
    expect(choose({ timeShares: waiting }, ['pageSizePercent 200'])).toBe('streamConcurrency 2 for throughput');
    const tried = ['pageSizePercent 200', 'streamConcurrency 2'];
    const choice = chooseChange({ ...facts, timeShares: waiting }, (knob, to) => tried.includes(`${knob} ${to}`));
    expect(choice).toMatchObject({ kind: 'nothing', reason: expect.stringContaining('tried lately and not kept') });
  });
});

const period = (throughputs: readonly number[], more: Partial<PeriodMeasures> = {}): PeriodMeasures => ({
  from: '2026-01-01T00:00:00.000Z',
  until: '2026-01-02T00:00:00.000Z',
  throughputs,
  recordsPerSecond: throughputs[0] ?? null,
  succeededRuns: throughputs.length,
  failedRuns: 0,
  calls: 500,
  failedCalls: 0,
  ...more,
});
const eight = [100, 101, 102, 103, 104, 105, 106, 107];
const times = (factor: number) => eight.map((value) => value * factor);
const decide = (after: PeriodMeasures, options: { goal?: 'errors'; before?: PeriodMeasures; isDue?: boolean } = {}) =>
  judge(options.goal ?? 'throughput', options.before ?? period(eight), after, {
    limits: DEFAULT_LIMITS,
    isDue: options.isDue ?? false,
  });

describe('the judgement', () => {
  test('waits for all the runs that are wanted', () => {
    expect(decide(period(times(2).slice(1)))).toEqual({ status: 'running' });
  });

  test('keeps a gain that is no chance, and says how large it is', () => {
    const kept = decide(period(times(1.5)));
    expect(kept).toMatchObject({ status: 'kept', verdict: expect.stringContaining('it is faster') });
    expect(kept).toHaveProperty('performanceGain', expect.closeTo(50, -1));
    expect(kept).toHaveProperty('confidence', expect.closeTo(0.9998, 3));
  });

  test.each<[string, PeriodMeasures, string]>([
    ['a loss', period(times(0.5)), 'rolled_back'],
    ['no difference', period(eight), 'inconclusive'],
    ['a gain of nothing', period(times(1.03)), 'inconclusive'],
    ['two runs when the time is up', period([200, 201]), 'kept'],
    ['one run when the time is up', period([200]), 'inconclusive'],
    ['no runs when the time is up', period([]), 'inconclusive'],
  ])('calls %s', (_, after, status) => {
    expect(decide(after, { isDue: true }).status).toBe(status);
  });

  test('takes a change back at once when syncs or calls fail', () => {
    expect(decide(period([], { failedRuns: 1 }))).toMatchObject({ status: 'rolled_back', performanceGain: null });
    expect(decide(period([200], { calls: 40, failedCalls: 10 })).status).toBe('rolled_back');
    expect(decide(period([200], { calls: 40, failedCalls: 9 })).status).toBe('running');
    const failing = period(eight, { calls: 500, failedCalls: 120, failedRuns: 4 });
    expect(decide(period([200], { calls: 40, failedCalls: 10, failedRuns: 1 }), { before: failing }).status).toBe(
      'running',
    );
  });

  test('keeps what ends failures, also where throughput cannot be compared', () => {
    const before = period([], { calls: 500, failedCalls: 50, failedRuns: 5 });
    expect(decide(period(eight), { goal: 'errors', before })).toMatchObject({
      status: 'kept',
      performanceGain: null,
      confidence: null,
      verdict: expect.stringContaining('0 of 500, after 50 of 500'),
    });
    expect(decide(period(eight), { goal: 'errors', before: period(eight) }).status).toBe('inconclusive');
  });
});
