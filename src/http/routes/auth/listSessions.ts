import { z } from 'zod';
import { sessionAnswer } from '../../schemas/accounts.ts';
import { answers } from '../../schemas/problem.ts';
import { requireUser } from '../../sessionAuthentication.ts';
import { type AddRoute, API } from '../route.ts';

export const listSessions: AddRoute = (server, app) => {
  server.get(
    `${API}/auth/sessions`,
    {
      config: { permission: 'self' },
      schema: {
        operationId: 'listSessions',
        summary: 'List your sessions',
        description: 'All of them: nobody has more than 100.',
        tags: ['auth'],
        response: answers({ 200: z.object({ data: z.array(sessionAnswer) }) }),
      },
    },
    async (request) => {
      const { userId, sessionId } = requireUser(request);
      const sessions = await app.access.accounts.sessions.list(userId);
      return { data: sessions.map((session) => ({ ...session, current: session.id === sessionId })) };
    },
  );
};
