import type { FastifyRequest } from 'fastify';
import type { Asker } from '../../../access/apiKeys/apiKeys.ts';
import { ForbiddenError } from '../../../access/errors.ts';
import { originOf } from '../../guard/origin.ts';

/** Who asks, as the services and the audit log take it. */
export function askerOf(request: FastifyRequest): Asker {
  return { principal: request.principal, origin: originOf(request) };
}

/** The user whose own things a `self` route is about. @throws ForbiddenError for the installation's key */
export function ownUserId({ principal }: FastifyRequest): string {
  if (principal.kind === 'installation') throw new ForbiddenError('The installation’s key has no account of its own.');
  return principal.userId;
}
