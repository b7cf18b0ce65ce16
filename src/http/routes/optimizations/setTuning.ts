import { tuningAnswer, tuningBody } from '../../schemas/optimizations.ts';
import { integrationParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const setTuning: AddRoute = (server, app) => {
  server.put(
    `${API}/integrations/:id/tuning`,
    {
      config: { permission: 'integrations:update', about: 'integration' },
      schema: {
        operationId: 'setTuning',
        summary: 'Tune an integration by hand',
        description: 'Sets all settings: what is left out goes back to the connector’s. Ends an experiment that runs.',
        tags: ['optimizations'],
        params: integrationParams,
        body: tuningBody,
        response: answers({ 200: tuningAnswer }, 400, 404, 415, 422),
      },
    },
    async (request) => {
      const { id } = await app.catalog.get(request.params.id);
      return app.performanceOptimizer.setTuning(id, request.body);
    },
  );
};
