import { z } from 'zod';
import { originOf } from '../../guard/origin.ts';
import { givenPassword, newPassword } from '../../schemas/accounts.ts';
import { answers } from '../../schemas/problem.ts';
import { requireUser } from '../../sessionAuthentication.ts';
import { type AddRoute, API } from '../route.ts';

const body = z.strictObject({ presentPassword: givenPassword, password: newPassword }).meta({ id: 'ChangePassword' });

export const changePassword: AddRoute = (server, app) => {
  server.post(
    `${API}/auth/password`,
    {
      config: { permission: 'self', repeatable: true },
      schema: {
        operationId: 'changePassword',
        summary: 'Change your password',
        description: 'Ends your other sessions.',
        tags: ['auth'],
        body,
        response: answers({ 204: z.undefined().describe('Changed.') }, 400, 413, 415),
      },
    },
    async (request, reply) => {
      await app.access.accounts.passwords.change(requireUser(request), request.body, originOf(request));
      return reply.code(204).send();
    },
  );
};
