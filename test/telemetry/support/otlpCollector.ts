// biome-ignore-all lint/suspicious/noExplicitAny: messages are decoded by their schema, without types
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';

/** The part of OTLP's messages that is looked at, with the numbers of the specification. */
const OTLP = protobuf.parse(`
  syntax = "proto3";
  message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message TraceRequest { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message ScopeSpans { repeated Span spans = 2; }
  message Link { bytes trace_id = 1; bytes span_id = 2; }
  message Status { string message = 2; int32 code = 3; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
    fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9;
    repeated Link links = 13; Status status = 15;
  }
  message MetricsRequest { repeated ResourceMetrics resource_metrics = 1; }
  message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; }
  message ScopeMetrics { repeated Metric metrics = 2; }
  message Metric {
    string name = 1; string unit = 3; Gauge gauge = 5; Sum sum = 7; ExponentialHistogram exponential_histogram = 10;
  }
  message NumberPoint { double as_double = 4; repeated KeyValue attributes = 7; }
  message Gauge { repeated NumberPoint data_points = 1; }
  message Sum { repeated NumberPoint data_points = 1; int32 aggregation_temporality = 2; bool is_monotonic = 3; }
  message ExponentialHistogram { repeated ExponentialPoint data_points = 1; int32 aggregation_temporality = 2; }
  message Buckets { sint32 offset = 1; repeated uint64 bucket_counts = 2; }
  message ExponentialPoint {
    repeated KeyValue attributes = 1; fixed64 count = 4; double sum = 5; sint32 scale = 6; fixed64 zero_count = 7; Buckets positive = 8;
  }`).root;

export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly startNano: number;
  readonly endNano: number;
  readonly attributes: Record<string, unknown>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: number;
}

/** A collector on loopback that takes what OTLP exporters send, in protobuf over HTTP. */
export interface OtlpCollector {
  readonly url: string;
  readonly spans: CollectedSpan[];
  /** The latest of each metric. */
  readonly metrics: Map<string, Record<string, any>>;
  readonly resource: Record<string, unknown>;
  /** Every body that came, as it was. */
  readonly bodies: Buffer[];
  close(): Promise<void>;
}

export async function startOtlpCollector(): Promise<OtlpCollector> {
  const spans: CollectedSpan[] = [];
  const metrics: OtlpCollector['metrics'] = new Map();
  const resource: Record<string, unknown> = {};
  const bodies: Buffer[] = [];
  const take = (url: string, body: Buffer, response: ServerResponse) => {
    bodies.push(body);
    const type = url === '/v1/traces' ? 'TraceRequest' : url === '/v1/metrics' ? 'MetricsRequest' : null;
    if (type === null) return response.writeHead(404).end();
    const message = OTLP.lookupType(type);
    const request: any = message.toObject(message.decode(body), { longs: Number, bytes: String, defaults: true });
    for (const one of request.resourceSpans ?? []) {
      Object.assign(resource, attributesOf(one.resource.attributes));
      spans.push(...one.scopeSpans.flatMap((scope: any) => scope.spans.map(toSpan)));
    }
    for (const one of request.resourceMetrics ?? []) {
      Object.assign(resource, attributesOf(one.resource.attributes));
      for (const metric of one.scopeMetrics.flatMap((scope: any) => scope.metrics)) metrics.set(metric.name, metric);
    }
    return response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      take(request.url!, request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    metrics,
    resource,
    bodies,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function toSpan(span: any): CollectedSpan {
  const hex = (text: string) => Buffer.from(text, 'base64').toString('hex');
  return {
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentSpanId: hex(span.parentSpanId),
    name: span.name,
    kind: span.kind,
    startNano: span.startTimeUnixNano,
    endNano: span.endTimeUnixNano,
    attributes: attributesOf(span.attributes),
    links: span.links.map((link: any) => ({ traceId: hex(link.traceId), spanId: hex(link.spanId) })),
    status: span.status?.code ?? 0,
  };
}

export function attributesOf(list: any[]): Record<string, unknown> {
  return Object.fromEntries(
    list.map(({ key, value }) => {
      const { stringValue, intValue, doubleValue, boolValue } = value;
      return [key, stringValue || intValue || doubleValue || boolValue];
    }),
  );
}
