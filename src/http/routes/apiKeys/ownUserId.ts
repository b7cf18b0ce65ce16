import type { FastifyRequest } from 'fastify';
import { ForbiddenError } from '../../../access/errors.ts';

/** The user whose own things a `self` route is about. @throws ForbiddenError for the installation's key */
export function ownUserId({ principal }: FastifyRequest): string {
  if (principal.kind === 'installation') throw new ForbiddenError('The installation’s key has no account of its own.');
  return principal.userId;
}
