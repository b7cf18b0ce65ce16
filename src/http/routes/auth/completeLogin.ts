import { z } from 'zod';
import { originOf } from '../../guard/origin.ts';
import { code, signedInAnswer, token } from '../../schemas/accounts.ts';
import { answers } from '../../schemas/problem.ts';
import { requireOwnOrigin } from '../../sessionAuthentication.ts';
import { type AddRoute, API } from '../route.ts';
import { signIn } from './signIn.ts';

const body = z.strictObject({ ticket: token, code }).meta({ id: 'CompleteLogin' });

export const completeLogin: AddRoute = (server, app) => {
  server.post(
    `${API}/auth/login/second-factor`,
    {
      config: { open: true, repeatable: true },
      schema: {
        operationId: 'completeLogin',
        summary: 'Sign in: the second factor',
        description:
          'Takes a code of the authenticator app or a recovery code; each works once. Sets the session cookie.',
        tags: ['auth'],
        body,
        response: answers({ 200: signedInAnswer }, 400, 413, 415),
      },
    },
    async (request, reply) => {
      requireOwnOrigin(request, app.config);
      const { user, session } = await app.access.accounts.login.completeLogin(request.body, originOf(request));
      return signIn(reply, app, user, session);
    },
  );
};
