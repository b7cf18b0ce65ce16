import { z } from 'zod';
import { integrationParams } from '../../schemas/parts.ts';
import { reportBody } from '../../schemas/performance.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const recordMetrics: AddRoute = (server, app) => {
  server.post(
    `${API}/integrations/:id/metrics`,
    {
      config: { permission: 'integrations:update', about: 'integration' },
      schema: {
        operationId: 'recordMetrics',
        summary: 'Report metrics of calls made elsewhere',
        description: 'Added to the present minute, and told apart from what is measured in every answer.',
        tags: ['performance'],
        params: integrationParams,
        body: reportBody,
        response: answers({ 204: z.undefined().describe('Recorded.') }, 400, 404, 409, 415, 422),
      },
    },
    async (request, reply) => {
      const { id } = await app.catalog.get(request.params.id);
      await app.performanceMonitoringService.recordMetrics(id, request.body);
      return reply.code(204).send();
    },
  );
};
