import {
  type Attributes,
  context,
  isSpanContextValid,
  type Link,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';

const NAME = 'integration-services';

/** Asked for anew each time: whoever embeds the library may register their provider later. */
export function tracer(): Tracer {
  return trace.getTracer(NAME);
}

/** Where in a trace the program is; null outside of one. */
export function activeSpan(): { readonly traceId: string; readonly spanId: string } | null {
  const span = trace.getActiveSpan()?.spanContext();
  return span !== undefined && isSpanContextValid(span) ? { traceId: span.traceId, spanId: span.spanId } : null;
}

export interface SpanSettings {
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
  /** A trace of its own, whatever it is caused by. */
  readonly root?: boolean;
  /** What caused it, in a trace of its own. */
  readonly links?: readonly Link[];
}

/** Runs `run` in a span; without an OpenTelemetry SDK in the process it costs next to nothing. */
export function inSpan<T>(name: string, settings: SpanSettings, run: (span: Span) => Promise<T>): Promise<T> {
  const { kind = SpanKind.INTERNAL, attributes, root, links } = settings;
  return tracer().startActiveSpan(name, { kind, attributes, root, links: links && [...links] }, async (span) => {
    try {
      return await run(span);
    } catch (error) {
      failSpan(span, error);
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Marks it as failed. The message of an error may carry data, so only its code or name is told. */
export function failSpan(span: Span, error: unknown): void {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  const type = typeof code === 'string' ? code : typeof name === 'string' ? name : 'unknown';
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR, message: type });
}

/** The active span as a W3C traceparent, to be kept with work that is done later; null when nothing is traced. */
export function currentTraceParent(): string | null {
  if (trace.getActiveSpan()?.isRecording() !== true) return null;
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent ?? null;
}

/** Links to the span of a traceparent; none when it is null or not one. */
export function linksTo(traceparent: string | null): Link[] {
  if (traceparent === null) return [];
  const found = trace.getSpanContext(propagation.extract(context.active(), { traceparent }));
  return found === undefined ? [] : [{ context: found }];
}
