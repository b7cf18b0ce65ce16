import { createRoleSchema } from '../../../access/roles/roleService.ts';
import { actorOf } from '../../guard/origin.ts';
import { roleAnswer } from '../../schemas/access.ts';
import { answers } from '../../schemas/problem.ts';
import { API } from '../route.ts';
import type { AddAccessRoute } from './accessRoute.ts';
import { roleAnswerOf } from './roleAnswerOf.ts';

const body = createRoleSchema.meta({
  id: 'CreateRole',
  examples: [{ name: 'support', permissions: [{ permission: 'integrations:read', reach: 'all' }] }],
});

export const createRole: AddAccessRoute = (server, app) => {
  server.post(
    `${API}/roles`,
    {
      config: { permission: 'roles:write' },
      schema: {
        operationId: 'createRole',
        summary: 'Create a role',
        description: 'Takes holding everything that the role gives.',
        tags: ['access'],
        body,
        response: answers({ 201: roleAnswer }, 400, 403, 409, 413, 415, 422),
      },
    },
    async (request, reply) => {
      const role = await app.access.roles.create(actorOf(request), request.body);
      reply.code(201);
      return roleAnswerOf(role);
    },
  );
};
