import { z } from 'zod';
import { dashboardParams } from '../../schemas/monitoring.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { viewerOf } from './viewerOf.ts';

export const deleteDashboard: AddRoute = (server, app) => {
  server.delete(
    `${API}/dashboards/:id`,
    {
      config: { permission: 'monitoring:write' },
      schema: {
        operationId: 'deleteDashboard',
        summary: 'Delete a dashboard',
        description: 'With all of its versions.',
        tags: ['monitoring'],
        params: dashboardParams,
        response: answers({ 204: z.undefined().describe('Deleted.') }, 400, 404),
      },
    },
    async (request, reply) => {
      await app.monitoringService.dashboards.delete(viewerOf(request), request.params.id);
      return reply.code(204).send();
    },
  );
};
