import type { FastifyRequest } from 'fastify';
import { AccessDeniedError } from '../../../access/decisions/errors.ts';

/** The user whose own things a `self` route is about. @throws AccessDeniedError for the installation's key */
export function ownUserId({ principal }: FastifyRequest): string {
  if (principal.kind === 'installation')
    throw new AccessDeniedError('The installation’s key has no account of its own.');
  return principal.userId;
}
