import { z } from 'zod';
import { actorOf } from '../../guard/origin.ts';
import { userParams } from '../../schemas/access.ts';
import { answers } from '../../schemas/problem.ts';
import { API } from '../route.ts';
import type { AddAccessRoute } from './accessRoute.ts';

const body = z
  .strictObject({ role: z.string().min(1).max(50) })
  .meta({ id: 'SetRole', examples: [{ role: 'operator' }] });

export const setUserRole: AddAccessRoute = (server, app) => {
  server.put(
    `${API}/users/:id/role`,
    {
      config: { permission: 'roles:write' },
      schema: {
        operationId: 'setUserRole',
        summary: 'Give a user a role',
        description: 'Takes holding everything that the role gives. One active owner stays.',
        tags: ['access'],
        params: userParams,
        body,
        response: answers({ 204: z.undefined().describe('Changed.') }, 400, 403, 404, 409, 413, 415),
      },
    },
    async (request, reply) => {
      await app.access.userRoles.setRole(actorOf(request), request.params.id, request.body.role);
      return reply.code(204).send();
    },
  );
};
