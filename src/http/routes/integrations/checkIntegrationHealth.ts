import { healthAnswer } from '../../schemas/integrations.ts';
import { integrationParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const checkIntegrationHealth: AddRoute = (server, app) => {
  server.get(
    `${API}/integrations/:id/health`,
    {
      config: { permission: 'integrations:test', about: 'integration' },
      schema: {
        operationId: 'checkIntegrationHealth',
        summary: 'Check the health of an integration',
        description:
          'Tests the connection now, and judges it with the circuit breaker, the last run and recent errors.',
        tags: ['integrations'],
        params: integrationParams,
        response: answers({ 200: healthAnswer }, 404),
      },
    },
    async (request) => app.integrationService.checkIntegrationHealth(request.params.id),
  );
};
