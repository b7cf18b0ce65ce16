import { updateRoleSchema } from '../../../access/roles/roleService.ts';
import { actorOf } from '../../guard/origin.ts';
import { roleAnswer, roleParams } from '../../schemas/access.ts';
import { answers } from '../../schemas/problem.ts';
import { API } from '../route.ts';
import type { AddAccessRoute } from './accessRoute.ts';
import { roleAnswerOf } from './roleAnswerOf.ts';

const body = updateRoleSchema.meta({ id: 'UpdateRole' });

export const updateRole: AddAccessRoute = (server, app) => {
  server.patch(
    `${API}/roles/:name`,
    {
      config: { permission: 'roles:write' },
      schema: {
        operationId: 'updateRole',
        summary: 'Change a role',
        description:
          'What is left out stays; `permissions` are replaced as a whole. Counts at once for everybody who has the role.',
        tags: ['access'],
        params: roleParams,
        body,
        response: answers({ 200: roleAnswer }, 400, 403, 404, 413, 415),
      },
    },
    async (request) => roleAnswerOf(await app.access.roles.update(actorOf(request), request.params.name, request.body)),
  );
};
