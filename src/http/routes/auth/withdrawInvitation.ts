import { z } from 'zod';
import { originOf } from '../../guard/origin.ts';
import { invitationParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const withdrawInvitation: AddRoute = (server, app) => {
  server.delete(
    `${API}/auth/invitations/:id`,
    {
      config: { permission: 'users:write' },
      schema: {
        operationId: 'withdrawInvitation',
        summary: 'Withdraw an invitation',
        tags: ['auth'],
        params: invitationParams,
        response: answers({ 204: z.undefined().describe('Withdrawn.') }, 404),
      },
    },
    async (request, reply) => {
      await app.access.accounts.invitations.withdraw(request.principal, request.params.id, originOf(request));
      return reply.code(204).send();
    },
  );
};
