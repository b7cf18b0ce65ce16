import type { FastifyRequest } from 'fastify';
import type { Actor } from '../../../access/decisions/actor.ts';
import type { Principal } from '../../../access/types.ts';
import type { App } from '../../../app.ts';
import { UnauthenticatedError } from '../../errors.ts';
import type { Server } from '../../typeProvider.ts';

/** Registers one endpoint. */
export type AddAccessRoute = (server: Server, app: Pick<App, 'access'>) => void;

/** The guard lets nobody else through to these addresses. */
export function principalOf({ principal }: FastifyRequest): Principal {
  if (principal === null) throw new UnauthenticatedError(false);
  return principal;
}

/** Who makes the request, for a change that is recorded. */
export function actorOf(request: FastifyRequest): Actor {
  const userAgent = request.headers['user-agent'];
  return {
    principal: principalOf(request),
    origin: { address: request.ip, requestId: request.id, ...(userAgent === undefined ? {} : { userAgent }) },
  };
}
