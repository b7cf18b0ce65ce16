import { addGrantSchema } from '../../../access/grants/grantService.ts';
import { actorOf } from '../../guard/origin.ts';
import { grantAnswer, userParams } from '../../schemas/access.ts';
import { answers } from '../../schemas/problem.ts';
import { API } from '../route.ts';
import type { AddAccessRoute } from './accessRoute.ts';

const body = addGrantSchema.meta({
  id: 'AddGrant',
  examples: [
    {
      effect: 'allow',
      permissions: ['records:*'],
      scope: { kind: 'platform', value: 'github' },
      reason: 'Moves the issues to the new tracker',
    },
  ],
});

export const addGrant: AddAccessRoute = (server, app) => {
  server.post(
    `${API}/users/:id/grants`,
    {
      config: { permission: 'roles:write' },
      schema: {
        operationId: 'addGrant',
        summary: 'Grant or deny',
        description: 'A grant takes holding what it gives. A deny goes before everything that allows.',
        tags: ['access'],
        params: userParams,
        body,
        response: answers({ 201: grantAnswer }, 400, 403, 404, 409, 413, 415, 422),
      },
    },
    async (request, reply) => {
      const grant = await app.access.grants.add(
        actorOf(request),
        request.params.id,
        request.body,
        request.resourceName,
      );
      reply.code(201);
      return grant;
    },
  );
};
