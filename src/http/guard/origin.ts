import type { FastifyRequest } from 'fastify';
import type { Actor } from '../../access/decisions/actor.ts';
import type { AuditOrigin } from '../../audit/types.ts';

const MAX_USER_AGENT_CHARS = 300;

/** Where a request came from, for the audit log. */
export function originOf(request: Pick<FastifyRequest, 'ip' | 'id' | 'headers'>): AuditOrigin {
  const userAgent = request.headers['user-agent'];
  return {
    address: request.ip,
    requestId: request.id,
    ...(userAgent === undefined ? {} : { userAgent: userAgent.slice(0, MAX_USER_AGENT_CHARS) }),
  };
}

/** Who asks, as the services take it. */
export function actorOf(request: FastifyRequest): Actor {
  return { principal: request.principal, origin: originOf(request) };
}
