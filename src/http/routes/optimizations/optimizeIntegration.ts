import { optimizationAnswer } from '../../schemas/optimizations.ts';
import { integrationParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const optimizeIntegration: AddRoute = (server, app) => {
  server.post(
    `${API}/integrations/:id/optimize`,
    {
      config: { permission: 'integrations:update', about: 'integration' },
      schema: {
        operationId: 'optimizeIntegrationPerformance',
        summary: 'Make an integration faster',
        description:
          'Starts an experiment with one setting, or tells how the one under way is doing. It is kept when a gain is measured, and taken back by itself otherwise.',
        tags: ['optimizations'],
        params: integrationParams,
        response: answers({ 200: optimizationAnswer }, 404),
      },
    },
    async (request) => app.performanceOptimizer.optimize(request.params.id),
  );
};
