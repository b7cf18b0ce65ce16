import { experimentAnswer, experimentParams } from '../../schemas/optimizations.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const revertOptimization: AddRoute = (server, app) => {
  server.post(
    `${API}/integrations/:id/optimizations/:experimentId/revert`,
    {
      config: { permission: 'integrations:update', about: 'integration' },
      schema: {
        operationId: 'revertOptimization',
        summary: 'Take the change of an experiment back',
        description: 'While it runs, or after it was kept. One that was taken back already is answered as it is.',
        tags: ['optimizations'],
        params: experimentParams,
        response: answers({ 200: experimentAnswer }, 404, 409),
      },
    },
    async (request) => {
      const { id } = await app.catalog.get(request.params.id);
      return app.performanceOptimizer.revert(id, request.params.experimentId);
    },
  );
};
