import { z } from 'zod';
import { originOf } from '../../guard/origin.ts';
import { email, newPassword, personName, signedInAnswer, token } from '../../schemas/accounts.ts';
import { answers } from '../../schemas/problem.ts';
import { requireOwnOrigin } from '../../sessionAuthentication.ts';
import { type AddRoute, API } from '../route.ts';
import { signIn } from './signIn.ts';

const body = z.strictObject({ token, email, name: personName, password: newPassword }).meta({ id: 'Setup' });

export const setup: AddRoute = (server, app) => {
  server.post(
    `${API}/auth/setup`,
    {
      config: { open: true, repeatable: true },
      schema: {
        operationId: 'setup',
        summary: 'Make the first user, an owner',
        description:
          'With the token of the link that the start prints. Answers once in the life of an installation; signs in.',
        tags: ['auth'],
        body,
        response: answers({ 201: signedInAnswer }, 400, 413, 415),
      },
    },
    async (request, reply) => {
      requireOwnOrigin(request, app.config);
      const { user, session } = await app.access.accounts.setup.complete(request.body, originOf(request));
      return signIn(reply.code(201), app, user, session);
    },
  );
};
