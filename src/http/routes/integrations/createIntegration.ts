import { createIntegrationSchema } from '../../../integrations/schemas.ts';
import { etagOf } from '../../etag.ts';
import { integrationAnswer } from '../../schemas/integrations.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const body = createIntegrationSchema.meta({
  id: 'CreateIntegration',
  examples: [
    {
      name: 'Our code',
      platform: 'github',
      credentials: { token: 'ghp_…' },
      configuration: { syncFrequency: 'hourly', streams: ['issues', 'pull_requests'] },
    },
  ],
});

export const createIntegration: AddRoute = (server, app) => {
  server.post(
    `${API}/integrations`,
    {
      schema: {
        operationId: 'createIntegration',
        summary: 'Create an integration',
        description: 'Credentials are encrypted and never returned. Every problem of the input is told at once.',
        tags: ['integrations'],
        body,
        response: answers({ 201: integrationAnswer }, 400, 409, 413, 415, 422),
      },
    },
    async (request, reply) => {
      const integration = await app.catalog.create(request.body, request.resourceName);
      reply.code(201).header('location', `${API}/integrations/${integration.id}`).header('etag', etagOf(integration));
      return integration;
    },
  );
};
