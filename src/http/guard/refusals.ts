import type { FastifyRequest } from 'fastify';
import { auditActor } from '../../access/decisions/actor.ts';
import { AccessDeniedError } from '../../access/decisions/errors.ts';
import type { DenialLog } from '../../access/denials.ts';
import type { AuditActor } from '../../audit/types.ts';
import { AppError } from '../../core/errors.ts';
import { networkOf } from '../../core/network.ts';
import type { Server } from '../typeProvider.ts';
import { routeOf } from './authorization.ts';
import { originOf } from './origin.ts';

/** What sessions, accounts and the guard itself refuse. Wrong passwords and codes are events of their own. */
const REFUSALS: ReadonlySet<string> = new Set([
  'CSRF_TOKEN_REJECTED',
  'FOREIGN_SITE',
  'LOGIN_THROTTLED',
  'ROLE_ABOVE_OWN',
  'SESSION_REQUIRED',
]);

/** Has every refusal that is answered in the audit log: also those of services, which record what they do. */
export function recordRefusals(server: Server, denials: DenialLog): void {
  server.addHook('onError', async (request, _reply, error) => {
    if (isUnrecorded(error)) await noteRefusal(denials, request, error);
  });
}

export function noteRefusal(denials: DenialLog, request: FastifyRequest, { message }: Error): Promise<void> {
  return denials.note({
    actor: auditActorOf(request),
    route: routeOf(request),
    reason: message,
    origin: originOf(request),
  });
}

/** Who asks, as the audit log names them. */
export function auditActorOf({ identity, ip }: FastifyRequest): AuditActor {
  return identity === null ? { kind: 'anonymous', id: networkOf(ip) } : auditActor(identity);
}

function isUnrecorded(error: Error): boolean {
  if (error instanceof AccessDeniedError) return !error.recorded;
  return error instanceof AppError && REFUSALS.has(error.code);
}
