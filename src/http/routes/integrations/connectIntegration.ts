import { etagOf } from '../../etag.ts';
import { integrationAnswer } from '../../schemas/integrations.ts';
import { integrationParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const connectIntegration: AddRoute = (server, app) => {
  server.post(
    `${API}/integrations/:id/connect`,
    {
      config: { permission: 'integrations:update', about: 'integration' },
      schema: {
        operationId: 'connectIntegration',
        summary: 'Connect',
        description: 'Tests the connection and, when it works, sets the status to `connected`.',
        tags: ['integrations'],
        params: integrationParams,
        response: answers({ 200: integrationAnswer }, 404, 409, 422),
      },
    },
    async (request, reply) => {
      await app.integrationService.connectIntegration(request.params.id);
      const integration = await app.catalog.get(request.params.id);
      reply.header('etag', etagOf(integration));
      return integration;
    },
  );
};
