import { originOf } from '../../guard/origin.ts';
import { userAnswer } from '../../schemas/accounts.ts';
import { userParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const deactivateUser: AddRoute = (server, app) => {
  server.post(
    `${API}/users/:id/deactivate`,
    {
      config: { permission: 'users:write', repeatable: true },
      schema: {
        operationId: 'deactivateUser',
        summary: 'Deactivate a user',
        description: 'Nobody signs in with it any more, and its sessions end. The last active owner stays.',
        tags: ['users'],
        params: userParams,
        response: answers({ 200: userAnswer }, 404, 409),
      },
    },
    async (request) =>
      await app.access.accounts.users.deactivate(request.principal, request.params.id, originOf(request)),
  );
};
