import { z } from 'zod';
import { webhookAnswer } from '../../schemas/integrations.ts';
import { integrationParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { storedWebhook } from './storedWebhook.ts';

export const listWebhooks: AddRoute = (server, app) => {
  server.get(
    `${API}/integrations/:id/webhooks`,
    {
      config: { permission: 'webhooks:read', about: 'integration' },
      schema: {
        operationId: 'listWebhooks',
        summary: 'List the webhooks of an integration',
        description: 'All of them: an integration has at most 100. Signing secrets are never returned.',
        tags: ['webhooks'],
        params: integrationParams,
        response: answers({ 200: z.object({ data: z.array(webhookAnswer) }) }, 404),
      },
    },
    async (request) => ({
      data: (await app.integrationService.getWebhooks(request.params.id)).map(storedWebhook),
    }),
  );
};
