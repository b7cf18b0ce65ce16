import compress from '@fastify/compress';
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import underPressure from '@fastify/under-pressure';
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { serializerCompiler } from 'fastify-type-provider-zod';
import type { App } from '../app.ts';
import { newId } from '../core/ids.ts';
import { LIMITS } from '../core/limits.ts';
import { OverloadedError } from './errors.ts';
import { actForPrincipals, guard, limitAddresses } from './guard/guard.ts';
import { requirePermissions } from './guard/routePermissions.ts';
import { answerIdempotently } from './idempotency.ts';
import { serveLiveLogs } from './liveLogs.ts';
import { notFoundError, recordRoutes } from './notFound.ts';
import { describeRoutes } from './openApi.ts';
import { PROBLEM_MEDIA_TYPE, problemHeaders, toAppError, toProblem } from './problem.ts';
import { answerRawError } from './rawErrors.ts';
import { serveReferencePage } from './referencePage.ts';
import { readJsonBodies } from './requestBody.ts';
import { logRequests } from './requestLog.ts';
import { measureRequests } from './requestMetrics.ts';
import { traceRequests } from './requestSpans.ts';
import { addRoutes } from './routes.ts';
import { type Server, validatorCompiler } from './typeProvider.ts';

const MAX_CONNECTIONS = 2_000;
const MAX_HEADER_BYTES = 16 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const TIMEOUT_CHECK_INTERVAL_MS = 2_000;
/** A socket on which nothing moves for so long is closed; longer than any answer lets one wait. */
const IDLE_SOCKET_TIMEOUT_MS = 120_000;
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** Above it, on average over the interval, the process is saturated; one long pause alone is not enough. */
const MAX_EVENT_LOOP_DELAY_MS = 500;
const EVENT_LOOP_INTERVAL_MS = 3_000;

/** The REST API, the probes and the reference page of an app, not yet listening. */
export function buildServer(app: App): Server {
  const server: Server = fastify({
    bodyLimit: LIMITS.requestBodyBytes,
    trustProxy: [...app.config.trustedProxies],
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: IDLE_SOCKET_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    http: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    routerOptions: { maxParamLength: 1_000 },
    // While closing, requests that arrive on open connections are still answered, with `Connection: close`.
    return503OnClosing: false,
    genReqId: (request) => requestId(request.headers['request-id'] ?? request.headers['x-request-id']),
    frameworkErrors: (error, request, reply) => void sendProblem(app, error, request, reply),
    clientErrorHandler: answerRawError,
  });
  server.server.maxConnections = MAX_CONNECTIONS;
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  server.setErrorHandler((error, request, reply) => sendProblem(app, error, request, reply));

  const routes = recordRoutes(server);
  requirePermissions(server);
  server.setNotFoundHandler((request, reply) => sendProblem(app, notFoundError(request, routes), request, reply));
  server.addHook('onRequest', async (request, reply) => void reply.header('request-id', request.id));
  logRequests(server, app.log);
  measureRequests(server, app.telemetry.requests);
  const followRequests = traceRequests(server);

  server.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { 'default-src': [`'none'`], 'frame-ancestors': [`'none'`] },
    },
    strictTransportSecurity: app.config.publicUrl.startsWith('https:'),
  });
  server.register(underPressure, {
    maxEventLoopDelay: MAX_EVENT_LOOP_DELAY_MS,
    sampleInterval: EVENT_LOOP_INTERVAL_MS,
    pressureHandler: async (request: FastifyRequest, _reply: unknown, _type: string, delayMs: number | undefined) => {
      // Infinite: the whole interval was one pause (loading a package, a starved machine), and it is over.
      const { open, evenOverloaded } = request.routeOptions.config;
      if (open !== true && evenOverloaded !== true && Number.isFinite(delayMs)) throw new OverloadedError();
    },
  });
  server.register(cookie);
  serveLiveLogs(server, app);
  // From here on in the order of the calls: what is registered above is loaded first.
  server.after(() => {
    limitAddresses(server, app);
    addHeaders(server);
    readJsonBodies(server);
    guard(server, app);
    answerIdempotently(server, app);
    actForPrincipals(server);
    followRequests();
  });
  server.register(compress, { globalDecompression: false, encodings: ['br', 'gzip'] });
  describeRoutes(server);
  server.after(() => {
    serveReferencePage(server);
    addRoutes(server, app);
  });
  return server;
}

/** What every answer says beside its content. */
function addHeaders(server: Server): void {
  let closing = false;
  server.addHook('preClose', async () => {
    closing = true;
  });
  server.addHook('onSend', async (request, reply, payload) => {
    if (closing) reply.header('connection', 'close');
    // As it was registered: an address can be written in many ways.
    if ((request.routeOptions.url ?? request.url).startsWith('/api/v1/') && !reply.hasHeader('cache-control'))
      reply.header('cache-control', 'no-store');
    return payload;
  });
}

function sendProblem(app: App, thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = toAppError(thrown);
  const problem = toProblem(error, request.id);
  if (problem.status === 500) {
    app.log.error('A request failed for a reason that was not meant to happen', {
      requestId: request.id,
      method: request.method,
      path: request.url.split('?')[0],
      reason: error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : error.message,
    });
  }
  return reply
    .code(problem.status)
    .headers({ 'request-id': request.id, ...problemHeaders(error) })
    .type(PROBLEM_MEDIA_TYPE)
    .send(JSON.stringify(problem));
}

/** A caller's own id when it is one, so that a request can be followed through several services. */
function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\w.:-]{8,128}$/.test(given) ? given : newId('request');
}
