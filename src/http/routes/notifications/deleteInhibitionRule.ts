import { z } from 'zod';
import { inhibitionParams } from '../../schemas/notifications.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const deleteInhibitionRule: AddRoute = (server, app) => {
  server.delete(
    `${API}/alerts/inhibitions/:id`,
    {
      config: { permission: 'monitoring:write' },
      schema: {
        operationId: 'deleteInhibitionRule',
        summary: 'Delete an inhibition rule',
        description: 'What it held back is told of at the next interval.',
        tags: ['monitoring'],
        params: inhibitionParams,
        response: answers({ 204: z.undefined().describe('Gone.') }, 400, 404),
      },
    },
    async (request, reply) => {
      await app.notifications.inhibitions.delete(request.params.id);
      return reply.code(204).send();
    },
  );
};
