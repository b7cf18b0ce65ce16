import { metricsAnswer } from '../../schemas/integrations.ts';
import { integrationParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const getIntegrationMetrics: AddRoute = (server, app) => {
  server.get(
    `${API}/integrations/:id/metrics`,
    {
      config: { permission: 'integrations:read', about: 'integration' },
      schema: {
        operationId: 'getIntegrationMetrics',
        summary: 'Read the metrics of an integration',
        description: 'Measured over its outgoing calls and runs of the last 24 hours.',
        tags: ['integrations'],
        params: integrationParams,
        response: answers({ 200: metricsAnswer }, 404),
      },
    },
    async (request) => app.integrationService.getIntegrationMetrics(request.params.id),
  );
};
