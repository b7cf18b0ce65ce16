import { type HrTime, ValueType } from '@opentelemetry/api';
import { hrTime, millisToHrTime } from '@opentelemetry/core';
import { emptyResource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type CollectionResult,
  DataPointType,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import type { Family, HistogramSample } from './families.ts';

const SCALE = 5;
const UNITS: readonly (readonly [suffix: RegExp, unit: string])[] = [
  [/_seconds$/, 's'],
  [/_bytes$/, 'By'],
];

/** Gives what /metrics shows to OpenTelemetry's reader: the same values, with exponential histograms of scale 5. */
export class FamilyProducer implements MetricProducer {
  readonly #families: () => Promise<Family[]>;
  readonly #version: string;
  readonly #startTime: HrTime = millisToHrTime(performance.timeOrigin);

  constructor(families: () => Promise<Family[]>, version: string) {
    this.#families = families;
    this.#version = version;
  }

  async collect(): Promise<CollectionResult> {
    const families = await this.#families();
    const times = { startTime: this.#startTime, endTime: hrTime() };
    const metrics = families.map((family) => toMetric(family, times));
    const scope = { name: 'integration-services', version: this.#version };
    return { resourceMetrics: { resource: emptyResource(), scopeMetrics: [{ scope, metrics }] }, errors: [] };
  }
}

function toMetric(family: Family, times: { startTime: HrTime; endTime: HrTime }): MetricData {
  const bare = family.type === 'counter' ? family.name.replace(/_total$/, '') : family.name;
  const unit = UNITS.find(([suffix]) => suffix.test(bare));
  const base = {
    descriptor: {
      // Prometheus adds unit and suffix again, so that a series has one name whichever way it came.
      name: unit === undefined ? bare : bare.replace(unit[0], ''),
      description: family.help,
      unit: unit?.[1] ?? '',
      valueType: ValueType.DOUBLE,
    },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  if (family.type === 'histogram') {
    const [first] = family.samples;
    if (first !== undefined && first.native === null) {
      const dataPoints = family.samples.map((one) => ({ ...times, attributes: one.labels, value: toClassic(one) }));
      return { ...base, dataPointType: DataPointType.HISTOGRAM, dataPoints };
    }
    const dataPoints = family.samples.map((one) => ({ ...times, attributes: one.labels, value: toExponential(one) }));
    return { ...base, dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM, dataPoints };
  }
  const dataPoints = family.samples.map(({ labels, value }) => ({ ...times, attributes: labels, value }));
  return family.type === 'counter'
    ? { ...base, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }
    : { ...base, dataPointType: DataPointType.GAUGE, dataPoints };
}

function toExponential({ count, sum, native }: HistogramSample) {
  const { zeros, firstIndex, counts, min, max } = native!;
  return {
    count,
    sum,
    ...(count > 0 ? { min, max } : {}),
    scale: SCALE,
    zeroCount: zeros,
    positive: { offset: firstIndex, bucketCounts: Array.from(counts) },
    negative: { offset: 0, bucketCounts: [] },
  };
}

/** Each bucket by itself, where Prometheus counts everything up to its bound. */
function toClassic({ count, sum, buckets }: HistogramSample) {
  const upTo = [...buckets.map(([, seen]) => seen), count];
  return {
    count,
    sum,
    buckets: {
      boundaries: buckets.map(([bound]) => bound),
      counts: upTo.map((seen, at) => seen - (upTo[at - 1] ?? 0)),
    },
  };
}
