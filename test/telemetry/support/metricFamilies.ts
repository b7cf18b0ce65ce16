import protobuf from 'protobufjs';

/** Prometheus' own messages (io.prometheus.client), with all fields of a histogram, written apart from the encoder's. */
const MODEL = protobuf
  .parse(`
  syntax = "proto2";
  package io.prometheus.client;
  message LabelPair { optional string name = 1; optional string value = 2; }
  enum MetricType { COUNTER = 0; GAUGE = 1; SUMMARY = 2; UNTYPED = 3; HISTOGRAM = 4; GAUGE_HISTOGRAM = 5; }
  message Gauge { optional double value = 1; }
  message Counter { optional double value = 1; }
  message Histogram {
    optional uint64 sample_count = 1; optional double sample_count_float = 4; optional double sample_sum = 2;
    repeated Bucket bucket = 3; optional sint32 schema = 5; optional double zero_threshold = 6;
    optional uint64 zero_count = 7; optional double zero_count_float = 8;
    repeated BucketSpan negative_span = 9; repeated sint64 negative_delta = 10; repeated double negative_count = 11;
    repeated BucketSpan positive_span = 12; repeated sint64 positive_delta = 13; repeated double positive_count = 14;
  }
  message Bucket { optional uint64 cumulative_count = 1; optional double cumulative_count_float = 4; optional double upper_bound = 2; }
  message BucketSpan { optional sint32 offset = 1; optional uint32 length = 2; }
  message Metric {
    repeated LabelPair label = 1; optional Gauge gauge = 2; optional Counter counter = 3; optional Histogram histogram = 7;
    optional int64 timestamp_ms = 6;
  }
  message MetricFamily {
    optional string name = 1; optional string help = 2; optional MetricType type = 3; repeated Metric metric = 4;
  }`)
  .root.lookupType('io.prometheus.client.MetricFamily');

export interface DecodedHistogram {
  readonly sampleCount: number;
  readonly sampleSum: number;
  readonly bucket: readonly { readonly cumulativeCount: number; readonly upperBound: number }[];
  readonly schema: number;
  readonly zeroCount: number;
  readonly zeroThreshold: number;
  readonly positiveSpan: readonly { readonly offset: number; readonly length: number }[];
  readonly positiveDelta: readonly number[];
}

export interface DecodedFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly metric: readonly {
    readonly label: readonly { readonly name: string; readonly value: string }[];
    readonly gauge?: { readonly value: number };
    readonly counter?: { readonly value: number };
    readonly histogram?: DecodedHistogram;
  }[];
}

/** Reads the delimited messages of an answer. */
export function decodeFamilies(body: Uint8Array): DecodedFamily[] {
  const reader = protobuf.Reader.create(body);
  const families: DecodedFamily[] = [];
  while (reader.pos < reader.len) {
    const message = MODEL.decodeDelimited(reader);
    families.push(MODEL.toObject(message, { longs: Number, enums: String, defaults: true }) as DecodedFamily);
  }
  return families;
}

/** Counts by the upper bounds of their buckets, as Prometheus understands schema, spans and deltas. */
export function nativeCounts({ schema, positiveSpan, positiveDelta }: DecodedHistogram): Map<number, number> {
  const counts = new Map<number, number>();
  const deltas = positiveDelta.values();
  let index = 0;
  let count = 0;
  for (const { offset, length } of positiveSpan) {
    index += offset;
    for (let one = 0; one < length; one++, index++) {
      count += deltas.next().value!;
      if (count !== 0) counts.set(2 ** (index / 2 ** schema), count);
    }
  }
  return counts;
}
