import { tuningAnswer } from '../../schemas/optimizations.ts';
import { integrationParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const getTuning: AddRoute = (server, app) => {
  server.get(
    `${API}/integrations/:id/tuning`,
    {
      config: { permission: 'integrations:read', about: 'integration' },
      schema: {
        operationId: 'getTuning',
        summary: 'Read how an integration is tuned',
        tags: ['optimizations'],
        params: integrationParams,
        response: answers({ 200: tuningAnswer }, 404),
      },
    },
    async (request) => {
      const { id } = await app.catalog.get(request.params.id);
      return app.performanceOptimizer.tuning(id);
    },
  );
};
