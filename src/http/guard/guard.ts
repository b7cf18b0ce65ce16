import type { FastifyReply, FastifyRequest } from 'fastify';
import { principalKey } from '../../access/decisions/actor.ts';
import type { DenialLog } from '../../access/denials.ts';
import type { RunningWork } from '../../access/freeze/runningWork.ts';
import type { App } from '../../app.ts';
import { actAs } from '../../audit/acting.ts';
import { systemClock } from '../../core/clock.ts';
import { isNearby, networkOf } from '../../core/network.ts';
import { browserGuard } from '../browserGuard.ts';
import { OverloadedError, TooManyRequestsError, UnauthenticatedError } from '../errors.ts';
import { authenticateSession, SESSION_COOKIE } from '../sessionAuthentication.ts';
import type { Server } from '../typeProvider.ts';
import { RequestAuthentication } from './authentication.ts';
import { RequestAccess } from './authorization.ts';
import { FailedAttempts } from './failedAttempts.ts';
import { originOf } from './origin.ts';
import { auditActorOf, noteRefusal, recordRefusals } from './refusals.ts';
import { type LimitState, RequestLimit, rateLimitHeaders } from './requestLimit.ts';

const ADDRESS_LIMIT = 600;
/** Behind a load balancer of one's own, and on the machine itself, many share an address. */
const NEARBY_LIMIT = 60_000;

/**
 * What is refused before anything is done for a request: pages of other sites, and floods of one address. Must be
 * registered before everything else that looks at requests.
 */
export function limitAddresses(server: Server, app: App): void {
  const refuseForeignSites = browserGuard(app.config);
  const addresses = new RequestLimit(systemClock);
  server.decorateRequest('limits', null);
  server.addHook('onRequest', async (request, reply) => {
    refuseForeignSites?.(request);
    request.limits = {};
    const limit = isNearby(request.ip) ? NEARBY_LIMIT : ADDRESS_LIMIT;
    limitTo('address', addresses.take(networkOf(request.ip), limit), request, reply);
  });
}

/**
 * Who asks, how often, and whether they may: authentication, the limit of the principal and the permission of the
 * route, in this order, before a body is read; what the body asks for besides once it is valid. Open routes are
 * passed by.
 */
export function guard(server: Server, app: App): void {
  const { decider, version, running, denials, apiKeys, stackAuth } = app.access.checks;
  const authentication = new RequestAuthentication({
    apiKey: app.secrets.apiKey,
    apiKeys,
    stackAuth,
    sessions: {
      cookieName: SESSION_COOKIE,
      authenticate: (request, reply) => authenticateSession(request, reply, app),
    },
  });
  const failures = new FailedAttempts(systemClock);
  const principals = new RequestLimit(systemClock);
  decorate(server);

  server.addHook('onRequest', async (request, reply) => {
    const unknown = request.is404 && !request.url.startsWith('/api/');
    if (request.routeOptions.config?.open === true || unknown) return;
    // Before anything is read of the principal, so that a change in between is noticed afterwards.
    const seen = version.version();
    const { principal, csrfToken } = await authentication.authenticate(request, reply).catch(async (error: unknown) => {
      if (error instanceof UnauthenticatedError) await refuse(request, error, failures, denials);
      throw error;
    });
    request.identity = principal;
    request.csrfToken = csrfToken;
    limitTo('principal', principals.take(principalKey(principal), app.config.apiRateLimit), request, reply);
    request.access = new RequestAccess({ decider, denials, database: app.database }, principal, request);
    await request.access.requireDeclared();
    endWhenFrozen(running, seen, request, reply);
  });
  server.addHook('preHandler', async (request) => request.routeOptions.config?.requiresFor?.(request));
  recordRefusals(server, denials);
}

/**
 * What handlers change is recorded in the name of who asked. Not earlier: what reads a body runs in the context of its
 * connection.
 */
export function actForPrincipals(server: Server): void {
  server.addHook('preHandler', (request, _reply, done) => {
    actAs({ actor: auditActorOf(request), origin: originOf(request) }, done);
  });
}

function decorate(server: Server): void {
  server.decorateRequest('identity', null);
  server.decorateRequest('csrfToken', null);
  server.decorateRequest('access');
  server.decorateRequest('freezeSignal');
  server.decorateRequest('principal', {
    getter(this: FastifyRequest) {
      if (this.identity === null) throw new UnauthenticatedError(null);
      return this.identity;
    },
  });
}

/** @throws TooManyRequestsError. Says in the answer what is left. */
function limitTo(name: string, state: LimitState, request: FastifyRequest, reply: FastifyReply): void {
  request.limits = { ...request.limits, [name]: state };
  if ((request.routeOptions.url ?? request.url).startsWith('/api/')) reply.headers(rateLimitHeaders(request.limits));
  if (!state.allowed) throw new TooManyRequestsError(name, state.limit, state.resetSeconds);
}

/** @throws TooManyFailedAttemptsError */
async function refuse(
  request: FastifyRequest,
  error: UnauthenticatedError,
  failures: FailedAttempts,
  denials: DenialLog,
): Promise<void> {
  failures.count(request.ip);
  if (!error.credentialCame) return;
  await noteRefusal(denials, request, error);
}

/** A principal that is frozen while the request is under way gets no more of its answer. */
function endWhenFrozen(running: RunningWork, seen: number, request: FastifyRequest, reply: FastifyReply): void {
  const work = running.start(request.principal, seen);
  if (work === null) throw new OverloadedError();
  request.freezeSignal = work.signal;
  work.signal.addEventListener('abort', () => reply.raw.destroy());
  reply.raw.once('close', () => work.done());
}
