import { z } from 'zod';
import { originOf } from '../../guard/origin.ts';
import { answers } from '../../schemas/problem.ts';
import { clearSessionCookie, requireUser } from '../../sessionAuthentication.ts';
import { type AddRoute, API } from '../route.ts';

const answer = z.object({ ended: z.int() }).meta({ id: 'EndedSessions' });

export const endAllSessions: AddRoute = (server, app) => {
  server.delete(
    `${API}/auth/sessions`,
    {
      config: { permission: 'self' },
      schema: {
        operationId: 'endAllSessions',
        summary: 'End all of your sessions',
        description: 'Also the one that asks.',
        tags: ['auth'],
        response: answers({ 200: answer }),
      },
    },
    async (request, reply) => {
      const ended = await app.access.accounts.sessions.endAll(requireUser(request), originOf(request));
      clearSessionCookie(reply, app.config);
      return { ended };
    },
  );
};
