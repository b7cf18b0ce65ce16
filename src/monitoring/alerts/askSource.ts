import { errorMessage } from '../../core/errors.ts';
import type { CompiledRule } from './compiledRule.ts';
import { QueryAnswer } from './queryAnswer.ts';
import type { MetricSource } from './types.ts';

const QUERIES_AT_ONCE = 4;
const QUERY_DEADLINE_MS = 10_000;
/** Series that one answer may have. */
const MAX_SERIES = 200_000;

/** A rule and the time that it is evaluated for. */
export interface DueRule {
  readonly compiled: CompiledRule;
  readonly at: number;
}

export const questionOf = ({ compiled, at }: DueRule): string => `${at} ${compiled.shape}`;

/** Asks once whatever many rules want to know. An answer that does not come is an error, for all of them. */
export async function askSource(
  source: MetricSource,
  due: Iterable<DueRule>,
  signal: AbortSignal,
): Promise<Map<string, QueryAnswer | Error>> {
  const questions = new Map<string, { readonly rule: DueRule; rules: number }>();
  for (const rule of due) {
    const key = questionOf(rule);
    const question = questions.get(key);
    if (question === undefined) questions.set(key, { rule, rules: 1 });
    else question.rules++;
  }
  const answers = new Map<string, QueryAnswer | Error>();
  const waiting = questions.entries();
  const worker = async () => {
    for (const [key, { rule, rules }] of waiting) answers.set(key, await ask(source, rule, rules, signal));
  };
  await Promise.all(Array.from({ length: QUERIES_AT_ONCE }, worker));
  signal.throwIfAborted();
  return answers;
}

async function ask(
  source: MetricSource,
  { compiled: { query }, at }: DueRule,
  rules: number,
  signal: AbortSignal,
): Promise<QueryAnswer | Error> {
  if (!source.has(query.metric)) return new Error(`Nothing here measures ${query.metric}.`);
  try {
    const samples = await source.query(query, at, AbortSignal.any([signal, AbortSignal.timeout(QUERY_DEADLINE_MS)]));
    if (samples.length <= MAX_SERIES) return new QueryAnswer(samples, query.groupBy, rules);
    return new Error(`The query gives ${samples.length} series; at most ${MAX_SERIES} are taken. Group by less.`);
  } catch (error) {
    return new Error(`${query.metric} could not be read: ${errorMessage(error)}`);
  }
}
