import { z } from 'zod';
import { originOf } from '../../guard/origin.ts';
import { newPassword, personName, signedInAnswer, token } from '../../schemas/accounts.ts';
import { answers } from '../../schemas/problem.ts';
import { requireOwnOrigin } from '../../sessionAuthentication.ts';
import { type AddRoute, API } from '../route.ts';
import { signIn } from './signIn.ts';

const body = z.strictObject({ token, name: personName, password: newPassword }).meta({ id: 'AcceptInvitation' });

export const acceptInvitation: AddRoute = (server, app) => {
  server.post(
    `${API}/auth/invitations/accept`,
    {
      config: { open: true, repeatable: true },
      schema: {
        operationId: 'acceptInvitation',
        summary: 'Accept an invitation',
        description: 'With the token of the link; signs in.',
        tags: ['auth'],
        body,
        response: answers({ 201: signedInAnswer }, 400, 409, 413, 415),
      },
    },
    async (request, reply) => {
      requireOwnOrigin(request, app.config);
      const { user, session } = await app.access.accounts.invitations.accept(request.body, originOf(request));
      return signIn(reply.code(201), app, user, session);
    },
  );
};
