import { z } from 'zod';
import { originOf } from '../../guard/origin.ts';
import { userParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const resetSecondFactor: AddRoute = (server, app) => {
  server.delete(
    `${API}/users/:id/second-factor`,
    {
      config: { permission: 'users:write' },
      schema: {
        operationId: 'resetSecondFactor',
        summary: 'Remove the second factor of a user',
        description: 'For somebody who lost the device and the recovery codes. Ends the user’s sessions.',
        tags: ['users'],
        params: userParams,
        response: answers({ 204: z.undefined().describe('Removed.') }, 404, 409),
      },
    },
    async (request, reply) => {
      await app.access.accounts.users.resetSecondFactor(request.principal, request.params.id, originOf(request));
      return reply.code(204).send();
    },
  );
};
