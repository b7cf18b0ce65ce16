import { type Context, context, propagation, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { FastifyRequest } from 'fastify';
import { tracer } from '../core/tracing.ts';
import type { Server } from './typeProvider.ts';

/** Asked every few seconds by machines: they would be most of all traces and tell nothing. */
const UNTRACED: ReadonlySet<string> = new Set(['/livez', '/readyz', '/health', '/metrics']);

interface Traced {
  readonly span: Span;
  readonly within: Context;
}

/**
 * A server span for each request, as part of the caller's trace when it sends a W3C `traceparent`. Only the traceparent
 * is taken; the address goes without its query.
 * @returns has what handlers do traced below it; to be called after the hooks that read bodies are registered
 */
export function traceRequests(server: Server): () => void {
  const traced = new WeakMap<FastifyRequest, Traced>();
  server.addHook('onRequest', async (request) => {
    if (UNTRACED.has(request.routeOptions.url ?? '')) return;
    const { traceparent, tracestate } = request.headers;
    const caller = propagation.extract(context.active(), { traceparent, tracestate });
    const route = request.is404 ? undefined : request.routeOptions.url;
    const name = route === undefined ? request.method : `${request.method} ${route}`;
    const attributes = {
      'http.request.method': request.method,
      'url.scheme': request.protocol,
      'url.path': request.url.split('?')[0] ?? '',
      ...(route === undefined ? {} : { 'http.route': route }),
      'integration_services.request.id': request.id,
    };
    const span = tracer().startSpan(name, { kind: SpanKind.SERVER, attributes }, caller);
    if (span.isRecording()) traced.set(request, { span, within: trace.setSpan(caller, span) });
  });
  const end = (request: FastifyRequest, status: number | null) => {
    const span = traced.get(request)?.span;
    if (span === undefined) return;
    traced.delete(request);
    if (status !== null) span.setAttribute('http.response.status_code', status);
    if (status === null || status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    if (status === null) span.setAttribute('error.type', 'aborted');
    span.end();
  };
  server.addHook('onResponse', async (request, reply) => end(request, reply.statusCode));
  server.addHook('onRequestAbort', async (request) => end(request, null));
  return () => {
    // Like `actForPrincipals`: what reads a body runs in the context of its connection.
    server.addHook('preHandler', (request, _reply, done) => {
      const known = traced.get(request);
      if (known === undefined) done();
      else context.with(known.within, done);
    });
  };
}
