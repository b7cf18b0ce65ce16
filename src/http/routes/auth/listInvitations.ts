import { z } from 'zod';
import { invitationAnswer } from '../../schemas/accounts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const listInvitations: AddRoute = (server, app) => {
  server.get(
    `${API}/auth/invitations`,
    {
      config: { permission: 'users:read' },
      schema: {
        operationId: 'listInvitations',
        summary: 'List open invitations',
        description: 'The newest first, at most 1,000. Links are never returned.',
        tags: ['auth'],
        response: answers({ 200: z.object({ data: z.array(invitationAnswer) }) }),
      },
    },
    async () => ({ data: await app.access.accounts.invitations.list() }),
  );
};
