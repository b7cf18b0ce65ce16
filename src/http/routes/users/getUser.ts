import { userAnswer } from '../../schemas/accounts.ts';
import { userParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const getUser: AddRoute = (server, app) => {
  server.get(
    `${API}/users/:id`,
    {
      config: { permission: 'users:read' },
      schema: {
        operationId: 'getUser',
        summary: 'Get a user',
        tags: ['users'],
        params: userParams,
        response: answers({ 200: userAnswer }, 404),
      },
    },
    async (request) => await app.access.accounts.users.get(request.params.id),
  );
};
