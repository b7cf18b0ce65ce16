import { z } from 'zod';
import { actorOf } from '../../guard/origin.ts';
import { grantParams } from '../../schemas/access.ts';
import { answers } from '../../schemas/problem.ts';
import { API } from '../route.ts';
import type { AddAccessRoute } from './accessRoute.ts';

export const removeGrant: AddAccessRoute = (server, app) => {
  server.delete(
    `${API}/grants/:id`,
    {
      config: { permission: 'roles:write' },
      schema: {
        operationId: 'removeGrant',
        summary: 'Remove a grant or lift a deny',
        description: 'Lifting a deny takes holding what it denies; nobody lifts one about themselves.',
        tags: ['access'],
        params: grantParams,
        response: answers({ 204: z.undefined().describe('Gone.') }, 403, 404),
      },
    },
    async (request, reply) => {
      await app.access.grants.remove(actorOf(request), request.params.id);
      return reply.code(204).send();
    },
  );
};
