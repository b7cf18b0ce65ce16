import type { FastifyRequest } from 'fastify';
import type { AuditOrigin } from '../audit/types.ts';

const MAX_USER_AGENT_CHARS = 300;

/** Where a request came from, as the audit log tells it. */
export function auditOrigin(request: Pick<FastifyRequest, 'ip' | 'id' | 'headers'>): AuditOrigin {
  const userAgent = request.headers['user-agent']?.slice(0, MAX_USER_AGENT_CHARS);
  return { address: request.ip, requestId: request.id, ...(userAgent === undefined ? {} : { userAgent }) };
}
