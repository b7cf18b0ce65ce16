import { z } from 'zod';
import { originOf } from '../../guard/origin.ts';
import { newPassword, token } from '../../schemas/accounts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const body = z.strictObject({ token, password: newPassword }).meta({ id: 'CompletePasswordReset' });

export const completePasswordReset: AddRoute = (server, app) => {
  server.post(
    `${API}/auth/password-reset/confirm`,
    {
      config: { open: true, repeatable: true },
      schema: {
        operationId: 'completePasswordReset',
        summary: 'Choose a new password',
        description: 'With the token of the link. Ends all sessions; sign in afterwards.',
        tags: ['auth'],
        body,
        response: answers({ 204: z.undefined().describe('Changed.') }, 400, 413, 415),
      },
    },
    async (request, reply) => {
      await app.access.accounts.passwords.completeReset(request.body, originOf(request));
      return reply.code(204).send();
    },
  );
};
