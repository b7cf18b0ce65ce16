import type { MetricQuery, MetricSample, MetricSource } from '../../../../src/monitoring/alerts/types.ts';

/** A source of what a test says there is at a time. Keeps count of the questions. */
export class ArraySource implements MetricSource {
  readonly asked: { readonly query: MetricQuery; readonly atMs: number }[] = [];
  answer: (query: MetricQuery, atMs: number) => readonly MetricSample[] | Promise<readonly MetricSample[]>;

  constructor(answer: ArraySource['answer']) {
    this.answer = answer;
  }

  has(): boolean {
    return true;
  }

  async query(query: MetricQuery, atMs: number): Promise<readonly MetricSample[]> {
    this.asked.push({ query, atMs });
    return this.answer(query, atMs);
  }
}

export function sample(integrationId: string, value: number | null, samples = 100): MetricSample {
  return { labels: { integrationId }, value, samples };
}
