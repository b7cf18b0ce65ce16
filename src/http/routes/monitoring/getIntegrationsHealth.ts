import { integrationsHealthAnswer } from '../../schemas/monitoring.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const getIntegrationsHealth: AddRoute = (server, app) => {
  server.get(
    `${API}/health/integrations`,
    {
      config: { permission: 'integrations:read', about: 'many' },
      schema: {
        operationId: 'getIntegrationsHealth',
        summary: 'Read which integrations work',
        description:
          'Of the integrations that the caller may see, as their calls of the last five minutes or a probe have shown. Those that fail because their provider is down come last.',
        tags: ['monitoring'],
        response: answers({ 200: integrationsHealthAnswer }),
      },
    },
    async (request) => app.monitoringService.getIntegrationsHealth(await request.access.visible('integrations:read')),
  );
};
