import { type Attributes, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { tracer } from '../core/tracing.ts';
import type { AttemptRecord, AttemptSink } from '../outgoing/types.ts';

/**
 * Makes a client span of each attempt, below the span that is active: the sync, the test, the job that made it. The
 * address goes without its query, and nothing of headers, bodies and errors, which may carry secrets, is told.
 */
export class AttemptSpans implements AttemptSink {
  record(attempt: AttemptRecord): void {
    // Nothing is traced, or nobody asked for this call.
    if (trace.getActiveSpan() === undefined) return;
    const startMs = attempt.startedAt.getTime() + attempt.phases.queueMs;
    const span = tracer().startSpan(attempt.method, {
      kind: SpanKind.CLIENT,
      startTime: startMs,
      attributes: attributesOf(attempt),
    });
    if (attempt.outcome !== 'success') span.setStatus({ code: SpanStatusCode.ERROR, message: attempt.outcome });
    span.end(startMs + attempt.durationMs);
  }
}

function attributesOf(attempt: AttemptRecord): Attributes {
  const { method, host, path, status, outcome, phases } = attempt;
  const at = host.lastIndexOf(':');
  const hasPort = at > host.lastIndexOf(']') && at !== -1;
  return {
    'http.request.method': method,
    'server.address': hasPort ? host.slice(0, at) : host,
    ...(hasPort ? { 'server.port': Number(host.slice(at + 1)) } : {}),
    'url.path': path,
    ...(status === null ? {} : { 'http.response.status_code': status }),
    ...(attempt.attempt > 1 ? { 'http.request.resend_count': attempt.attempt - 1 } : {}),
    'http.response.body.size': attempt.responseBytes,
    ...(outcome === 'success' ? {} : { 'error.type': outcome }),
    'integration_services.integration.id': attempt.integrationId,
    'integration_services.operation': attempt.operation,
    'integration_services.operation.id': attempt.operationId,
    'integration_services.outcome': outcome,
    ...(attempt.platform === undefined ? {} : { 'integration_services.platform': attempt.platform }),
    'integration_services.wait.backoff_ms': phases.backoffMs,
    'integration_services.wait.rate_limit_ms': phases.rateLimitMs,
    'integration_services.wait.queue_ms': phases.queueMs,
  };
}
