import { z } from 'zod';
import { actorOf } from '../../guard/origin.ts';
import { roleParams } from '../../schemas/access.ts';
import { answers } from '../../schemas/problem.ts';
import { API } from '../route.ts';
import type { AddAccessRoute } from './accessRoute.ts';

export const deleteRole: AddAccessRoute = (server, app) => {
  server.delete(
    `${API}/roles/:name`,
    {
      config: { permission: 'roles:write' },
      schema: {
        operationId: 'deleteRole',
        summary: 'Delete a role',
        description: 'Refused while a user has it.',
        tags: ['access'],
        params: roleParams,
        response: answers({ 204: z.undefined().describe('Gone.') }, 400, 403, 404, 409),
      },
    },
    async (request, reply) => {
      await app.access.roles.delete(actorOf(request), request.params.name);
      return reply.code(204).send();
    },
  );
};
