import { originOf } from '../../guard/origin.ts';
import { userAnswer } from '../../schemas/accounts.ts';
import { userParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const reactivateUser: AddRoute = (server, app) => {
  server.post(
    `${API}/users/:id/reactivate`,
    {
      config: { permission: 'users:write', repeatable: true },
      schema: {
        operationId: 'reactivateUser',
        summary: 'Reactivate a deactivated user',
        description: 'One who was frozen before is frozen again.',
        tags: ['users'],
        params: userParams,
        response: answers({ 200: userAnswer }, 404, 409),
      },
    },
    async (request) =>
      await app.access.accounts.users.reactivate(request.principal, request.params.id, originOf(request)),
  );
};
