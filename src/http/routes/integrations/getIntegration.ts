import { z } from 'zod';
import { etagOf, isNotModified } from '../../etag.ts';
import { integrationAnswer } from '../../schemas/integrations.ts';
import { integrationParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const getIntegration: AddRoute = (server, app) => {
  server.get(
    `${API}/integrations/:id`,
    {
      config: { permission: 'integrations:read', about: 'integration', documentedHeader: 'If-None-Match' },
      schema: {
        operationId: 'getIntegration',
        summary: 'Read an integration',
        description: 'The ETag follows everything that is answered, also the status of the connection.',
        tags: ['integrations'],
        params: integrationParams,
        response: answers({ 200: integrationAnswer, 304: z.undefined().describe('Not modified.') }, 404),
      },
    },
    async (request, reply) => {
      const integration = await app.catalog.get(request.params.id);
      const etag = etagOf(integration);
      reply.header('etag', etag).header('cache-control', 'private, no-cache');
      if (isNotModified(request.headers['if-none-match'], etag)) return reply.code(304).send();
      return integration;
    },
  );
};
