import { z } from 'zod';
import { signedInAnswer } from '../../schemas/accounts.ts';
import { answers } from '../../schemas/problem.ts';
import { requireUser } from '../../sessionAuthentication.ts';
import { type AddRoute, API } from '../route.ts';

const answer = z
  .object({
    ...signedInAnswer.shape,
    sessionId: z.string(),
    secondFactor: z.boolean().describe('Whether a second factor is asked for.'),
  })
  .meta({ id: 'CurrentSession' });

export const getSession: AddRoute = (server, app) => {
  server.get(
    `${API}/auth/session`,
    {
      config: { permission: 'self' },
      schema: {
        operationId: 'getSession',
        summary: 'Who is signed in',
        tags: ['auth'],
        response: answers({ 200: answer }),
      },
    },
    async (request) => {
      const { userId, sessionId } = requireUser(request);
      return {
        user: await app.access.accounts.users.get(userId),
        sessionId,
        csrfToken: app.access.accounts.sessions.csrfToken(sessionId),
        secondFactor: await app.access.accounts.secondFactors.isOn(app.database.db, userId),
      };
    },
  );
};
