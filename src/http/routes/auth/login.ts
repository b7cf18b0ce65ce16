import { z } from 'zod';
import { originOf } from '../../guard/origin.ts';
import { email, givenPassword, signedInAnswer } from '../../schemas/accounts.ts';
import { answers } from '../../schemas/problem.ts';
import { requireOwnOrigin } from '../../sessionAuthentication.ts';
import { type AddRoute, API } from '../route.ts';
import { signIn } from './signIn.ts';

const body = z
  .strictObject({ email, password: givenPassword })
  .meta({ id: 'Login', examples: [{ email: 'anna@example.com', password: '…' }] });

const answer = z
  .union([
    z.object({ secondFactor: z.literal(false), ...signedInAnswer.shape }),
    z.object({ secondFactor: z.literal(true), ticket: z.string() }),
  ])
  .meta({ id: 'LoginAnswer' });

export const login: AddRoute = (server, app) => {
  server.post(
    `${API}/auth/login`,
    {
      config: { open: true, repeatable: true },
      schema: {
        operationId: 'login',
        summary: 'Sign in with a password',
        description:
          'Sets the session cookie. With a second factor it answers a ticket instead, which POST …/login/second-factor takes with a code within five minutes.',
        tags: ['auth'],
        body,
        response: answers({ 200: answer }, 400, 413, 415),
      },
    },
    async (request, reply) => {
      requireOwnOrigin(request, app.config);
      const result = await app.access.accounts.login.login(request.body, originOf(request));
      if (result.secondFactor) return { secondFactor: true as const, ticket: result.ticket };
      return { secondFactor: false as const, ...signIn(reply, app, result.user, result.session) };
    },
  );
};
