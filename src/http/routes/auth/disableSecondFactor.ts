import { z } from 'zod';
import { originOf } from '../../guard/origin.ts';
import { givenPassword } from '../../schemas/accounts.ts';
import { answers } from '../../schemas/problem.ts';
import { requireUser } from '../../sessionAuthentication.ts';
import { type AddRoute, API } from '../route.ts';

const body = z.strictObject({ password: givenPassword }).meta({ id: 'DisableSecondFactor' });

export const disableSecondFactor: AddRoute = (server, app) => {
  server.post(
    `${API}/auth/totp/disable`,
    {
      config: { permission: 'self', repeatable: true },
      schema: {
        operationId: 'disableSecondFactor',
        summary: 'Switch the second factor off',
        description: 'With the password. Ends your other sessions.',
        tags: ['auth'],
        body,
        response: answers({ 204: z.undefined().describe('Off.') }, 400, 409, 413, 415),
      },
    },
    async (request, reply) => {
      await app.access.accounts.secondFactors.disable(requireUser(request), request.body.password, originOf(request));
      return reply.code(204).send();
    },
  );
};
