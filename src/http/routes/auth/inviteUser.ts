import { z } from 'zod';
import { originOf } from '../../guard/origin.ts';
import { email, invitationAnswer, roleName } from '../../schemas/accounts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const body = z
  .strictObject({ email, role: roleName })
  .meta({ id: 'InviteUser', examples: [{ email: 'anna@example.com', role: 'operator' }] });

const answer = z
  .object({ ...invitationAnswer.shape, link: z.string().nullable().describe('Null when it was sent by e-mail.') })
  .meta({ id: 'NewInvitation' });

export const inviteUser: AddRoute = (server, app) => {
  server.post(
    `${API}/auth/invitations`,
    {
      config: { permission: 'users:write' },
      schema: {
        operationId: 'inviteUser',
        summary: 'Invite somebody',
        description:
          'The link goes to the address by e-mail; where no mail server is configured, it is answered, this once. Replaces an open invitation of the address.',
        tags: ['auth'],
        body,
        response: answers({ 201: answer }, 400, 409, 413, 415, 422),
      },
    },
    async (request, reply) => {
      const { invitation, link } = await app.access.accounts.invitations.invite(
        request.principal,
        request.body,
        originOf(request),
      );
      reply.code(201);
      return { ...invitation, link };
    },
  );
};
