import { z } from 'zod';
import { originOf } from '../../guard/origin.ts';
import { email } from '../../schemas/accounts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const body = z.strictObject({ email }).meta({ id: 'RequestPasswordReset', examples: [{ email: 'anna@example.com' }] });

export const requestPasswordReset: AddRoute = (server, app) => {
  server.post(
    `${API}/auth/password-reset`,
    {
      config: { open: true, repeatable: true },
      schema: {
        operationId: 'requestPasswordReset',
        summary: 'Ask for a link to choose a new password',
        description: 'Sent by e-mail to whoever has the address; the answer is the same when nobody has it.',
        tags: ['auth'],
        body,
        response: answers({ 202: z.undefined().describe('Taken.') }, 400, 409, 413, 415),
      },
    },
    async (request, reply) => {
      await app.access.accounts.passwords.requestReset(request.body.email, originOf(request));
      return reply.code(202).send();
    },
  );
};
