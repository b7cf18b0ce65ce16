import type { FastifyRequest } from 'fastify';
import type { Actor } from '../../../access/decisions/actor.ts';
import type { App } from '../../../app.ts';
import type { Server } from '../../typeProvider.ts';

/** Registers one endpoint. */
export type AddAccessRoute = (server: Server, app: Pick<App, 'access'>) => void;

/** Who makes the request, for a change that is recorded. */
export function actorOf(request: FastifyRequest): Actor {
  const userAgent = request.headers['user-agent'];
  return {
    principal: request.principal,
    origin: { address: request.ip, requestId: request.id, ...(userAgent === undefined ? {} : { userAgent }) },
  };
}
