import { etagOf } from '../../etag.ts';
import { integrationAnswer } from '../../schemas/integrations.ts';
import { integrationParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const disconnectIntegration: AddRoute = (server, app) => {
  server.post(
    `${API}/integrations/:id/disconnect`,
    {
      config: { permission: 'integrations:update', about: 'integration' },
      schema: {
        operationId: 'disconnectIntegration',
        summary: 'Disconnect',
        description:
          'Ends syncs and their schedule; nothing more is sent to the provider. Credentials and records stay.',
        tags: ['integrations'],
        params: integrationParams,
        response: answers({ 200: integrationAnswer }, 404, 409, 422),
      },
    },
    async (request, reply) => {
      await app.integrationService.disconnectIntegration(request.params.id);
      const integration = await app.catalog.get(request.params.id);
      reply.header('etag', etagOf(integration));
      return integration;
    },
  );
};
