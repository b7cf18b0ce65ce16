import { z } from 'zod';
import { integrationParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const stopSync: AddRoute = (server, app) => {
  server.post(
    `${API}/integrations/:id/sync/stop`,
    {
      config: { permission: 'integrations:sync', about: 'integration' },
      schema: {
        operationId: 'stopSync',
        summary: 'Stop syncing',
        description:
          'Ends the schedule and, within two seconds, a run under way. What was written stays; the next run goes on from it.',
        tags: ['syncs'],
        params: integrationParams,
        response: answers({ 204: z.undefined().describe('Nothing runs and nothing is scheduled.') }, 404, 409, 422),
      },
    },
    async (request, reply) => {
      await app.integrationService.stopSync(request.params.id);
      return reply.code(204).send();
    },
  );
};
