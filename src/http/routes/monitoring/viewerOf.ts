import type { FastifyRequest } from 'fastify';
import { userIdOf } from '../../../access/decisions/actor.ts';
import type { Viewer } from '../../../monitoring/dashboards/dashboards.ts';

/** Who looks at dashboards: a user, by themselves or through a key, or the installation, which sees all. */
export function viewerOf(request: FastifyRequest): Viewer {
  const userId = userIdOf(request.principal);
  return userId === null ? null : { userId };
}
