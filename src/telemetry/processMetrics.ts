import type { Family, HistogramSample, Labels, NumberSample } from './families.ts';

/** Gauges whose names end like those of counters. What they sum up is there by kind, without the ending. */
const MISNAMED = /^nodejs_active_\w+_total$/;

/** As prom-client gives a metric; its types do not tell of metricName. */
interface Given {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly { readonly labels: Labels; readonly value: number; readonly metricName?: string }[];
}

/**
 * CPU, memory, event loop and garbage collection of this process, as prom-client measures them; from the first call
 * on, so that a process that nobody watches pays nothing.
 */
export class ProcessMetrics {
  #measured: Promise<() => Promise<Given[]>> | null = null;

  async families(): Promise<Family[]> {
    this.#measured ??= measure();
    const given = await (await this.#measured)();
    return given.filter(({ name }) => !MISNAMED.test(name)).flatMap(toFamily);
  }
}

async function measure(): Promise<() => Promise<Given[]>> {
  const { Registry, collectDefaultMetrics } = (await import('prom-client')).default;
  const register = new Registry();
  collectDefaultMetrics({ register });
  return () => register.getMetricsAsJSON() as unknown as Promise<Given[]>;
}

function toFamily({ name, help, type, values }: Given): Family[] {
  const text = help.endsWith('.') ? help : `${help}.`;
  if (type === 'histogram') return [{ name, help: text, type, samples: toHistograms(name, values) }];
  if (type !== 'counter' && type !== 'gauge') return [];
  const samples: NumberSample[] = values.map(({ labels, value }) => ({ labels: asText(labels), value }));
  return [{ name, help: text, type, samples }];
}

function toHistograms(name: string, values: Given['values']): HistogramSample[] {
  const found = new Map<string, { labels: Labels; count: number; sum: number; buckets: [number, number][] }>();
  for (const { labels: given, value, metricName } of values) {
    const { le, ...labels } = asText(given);
    const key = JSON.stringify(labels);
    const sample = found.get(key) ?? { labels, count: 0, sum: 0, buckets: [] };
    found.set(key, sample);
    if (metricName === `${name}_sum`) sample.sum = value;
    else if (metricName === `${name}_count`) sample.count = value;
    else if (le !== undefined && le !== '+Inf') sample.buckets.push([Number(le), value]);
  }
  return [...found.values()].map((sample) => ({ ...sample, native: null }));
}

function asText(labels: Labels): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)]));
}
