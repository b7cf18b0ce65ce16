import { z } from 'zod';
import { originOf } from '../../guard/origin.ts';
import { code } from '../../schemas/accounts.ts';
import { answers } from '../../schemas/problem.ts';
import { requireUser } from '../../sessionAuthentication.ts';
import { type AddRoute, API } from '../route.ts';

const body = z.strictObject({ code }).meta({ id: 'ConfirmSecondFactor', examples: [{ code: '123456' }] });
const answer = z.object({ recoveryCodes: z.array(z.string()) }).meta({ id: 'RecoveryCodes' });

export const confirmSecondFactor: AddRoute = (server, app) => {
  server.post(
    `${API}/auth/totp/confirm`,
    {
      config: { permission: 'self', repeatable: true },
      schema: {
        operationId: 'confirmSecondFactor',
        summary: 'Switch the second factor on',
        description:
          'With a first code of the app. Answers ten recovery codes, this once, and ends your other sessions.',
        tags: ['auth'],
        body,
        response: answers({ 200: answer }, 400, 409, 413, 415),
      },
    },
    async (request) => {
      const principal = requireUser(request);
      const { secondFactors } = app.access.accounts;
      return { recoveryCodes: await secondFactors.confirm(principal, request.body.code, originOf(request)) };
    },
  );
};
