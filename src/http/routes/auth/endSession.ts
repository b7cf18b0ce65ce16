import { z } from 'zod';
import { originOf } from '../../guard/origin.ts';
import { sessionParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { requireUser } from '../../sessionAuthentication.ts';
import { type AddRoute, API } from '../route.ts';

export const endSession: AddRoute = (server, app) => {
  server.delete(
    `${API}/auth/sessions/:id`,
    {
      config: { permission: 'self' },
      schema: {
        operationId: 'endSession',
        summary: 'End one of your sessions',
        tags: ['auth'],
        params: sessionParams,
        response: answers({ 204: z.undefined().describe('Ended.') }, 404),
      },
    },
    async (request, reply) => {
      await app.access.accounts.sessions.end(requireUser(request), request.params.id, originOf(request));
      return reply.code(204).send();
    },
  );
};
