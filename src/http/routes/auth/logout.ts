import { z } from 'zod';
import { originOf } from '../../guard/origin.ts';
import { answers } from '../../schemas/problem.ts';
import { clearSessionCookie, requireUser } from '../../sessionAuthentication.ts';
import { type AddRoute, API } from '../route.ts';

export const logout: AddRoute = (server, app) => {
  server.post(
    `${API}/auth/logout`,
    {
      config: { permission: 'self', repeatable: true },
      schema: {
        operationId: 'logout',
        summary: 'Sign out',
        description: 'Ends the session that asks.',
        tags: ['auth'],
        response: answers({ 204: z.undefined().describe('Signed out.') }),
      },
    },
    async (request, reply) => {
      const principal = requireUser(request);
      await app.access.accounts.sessions.end(principal, principal.sessionId, originOf(request));
      clearSessionCookie(reply, app.config);
      return reply.code(204).send();
    },
  );
};
