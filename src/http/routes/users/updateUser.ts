import { z } from 'zod';
import { originOf } from '../../guard/origin.ts';
import { email, personName, userAnswer } from '../../schemas/accounts.ts';
import { userParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const body = z
  .strictObject({ email, name: personName })
  .partial()
  .meta({ id: 'UpdateUser', examples: [{ name: 'Anna Jones' }] });

export const updateUser: AddRoute = (server, app) => {
  server.patch(
    `${API}/users/:id`,
    {
      config: { permission: 'users:write' },
      schema: {
        operationId: 'updateUser',
        summary: 'Change the name or the e-mail address of a user',
        description: 'What is left out stays.',
        tags: ['users'],
        params: userParams,
        body,
        response: answers({ 200: userAnswer }, 400, 404, 409, 413, 415),
      },
    },
    async (request) =>
      await app.access.accounts.users.update(request.principal, request.params.id, request.body, originOf(request)),
  );
};
