import protobuf from 'protobufjs/light.js';
import type { Family, HistogramSample, Labels } from './families.ts';
import { writeSpans } from './nativeBuckets.ts';

/** `io.prometheus.client.MetricFamily`, as far as it is written here. A field that is zero is not written, which means the same. */
const SCHEMA = {
  nested: {
    LabelPair: { fields: { name: { type: 'string', id: 1 }, value: { type: 'string', id: 2 } } },
    Gauge: { fields: { value: { type: 'double', id: 1 } } },
    Counter: { fields: { value: { type: 'double', id: 1 } } },
    Bucket: { fields: { cumulativeCount: { type: 'uint64', id: 1 }, upperBound: { type: 'double', id: 2 } } },
    BucketSpan: { fields: { offset: { type: 'sint32', id: 1 }, length: { type: 'uint32', id: 2 } } },
    Histogram: {
      fields: {
        sampleCount: { type: 'uint64', id: 1 },
        sampleSum: { type: 'double', id: 2 },
        bucket: { rule: 'repeated', type: 'Bucket', id: 3 },
        schema: { type: 'sint32', id: 5 },
        zeroThreshold: { type: 'double', id: 6 },
        zeroCount: { type: 'uint64', id: 7 },
        positiveSpan: { rule: 'repeated', type: 'BucketSpan', id: 12 },
        positiveDelta: { rule: 'repeated', type: 'sint64', id: 13 },
      },
    },
    Metric: {
      fields: {
        label: { rule: 'repeated', type: 'LabelPair', id: 1 },
        gauge: { type: 'Gauge', id: 2 },
        counter: { type: 'Counter', id: 3 },
        histogram: { type: 'Histogram', id: 7 },
      },
    },
    MetricFamily: {
      fields: {
        name: { type: 'string', id: 1 },
        help: { type: 'string', id: 2 },
        type: { type: 'int32', id: 3 },
        metric: { rule: 'repeated', type: 'Metric', id: 4 },
      },
    },
  },
};
const METRIC_FAMILY = protobuf.Root.fromJSON(SCHEMA).lookupType('MetricFamily');
const TYPES = { counter: 0, gauge: 1, histogram: 4 } as const;
const SCHEMA_NUMBER = 5;
const ZERO_THRESHOLD = 2 ** -20;

/** Length-delimited messages, one a family, with native histograms beside the classic buckets. */
export function writeProtobuf(families: readonly Family[]): Buffer {
  const writer = protobuf.Writer.create();
  for (const family of families) METRIC_FAMILY.encodeDelimited(toMessage(family), writer);
  return Buffer.from(writer.finish());
}

function toMessage(family: Family): object {
  const { name, help, type } = family;
  const metric =
    family.type === 'histogram'
      ? family.samples.map((sample) => ({ label: pairs(sample.labels), histogram: toHistogram(sample) }))
      : family.samples.map(({ labels, value }) => ({ label: pairs(labels), [type]: { value } }));
  return { name, help, type: TYPES[type], metric };
}

function toHistogram({ count, sum, buckets, native }: HistogramSample): object {
  const classic = {
    sampleCount: count,
    sampleSum: sum,
    bucket: buckets.map(([upperBound, cumulativeCount]) => ({ cumulativeCount, upperBound })),
  };
  if (native === null) return classic;
  const { spans, deltas } = writeSpans(native);
  return {
    ...classic,
    schema: SCHEMA_NUMBER,
    zeroThreshold: ZERO_THRESHOLD,
    zeroCount: native.zeros,
    positiveSpan: spans,
    positiveDelta: deltas,
  };
}

function pairs(labels: Labels): object[] {
  return Object.entries(labels).map(([name, value]) => ({ name, value }));
}
