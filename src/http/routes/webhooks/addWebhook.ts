import { z } from 'zod';
import { webhookSchema } from '../../../integrations/schemas.ts';
import { webhookAnswer } from '../../schemas/integrations.ts';
import { integrationParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { storedWebhook } from './storedWebhook.ts';

const body = webhookSchema.meta({
  id: 'AddWebhook',
  examples: [{ url: 'https://example.com/hooks', events: ['sync.completed'] }],
});

const answer = z
  .object({ ...webhookAnswer.shape, secret: z.string().describe('Signs deliveries. Shown this once; store it now.') })
  .meta({ id: 'AddedWebhook' });

export const addWebhook: AddRoute = (server, app) => {
  server.post(
    `${API}/integrations/:id/webhooks`,
    {
      config: { permission: 'webhooks:write', about: 'integration' },
      schema: {
        operationId: 'addWebhook',
        summary: 'Add a webhook',
        description: 'Answers the signing secret, this once.',
        tags: ['webhooks'],
        params: integrationParams,
        body,
        response: answers({ 201: answer }, 400, 404, 409, 413, 415, 422),
      },
    },
    async (request, reply) => {
      const { id, secret } = await app.webhooks.add(request.params.id, request.body, request.resourceName);
      const stored = (await app.webhooks.list(request.params.id)).find((webhook) => webhook.id === id);
      reply.code(201).header('location', `${API}/webhooks/${id}`);
      return { ...storedWebhook(stored!), secret };
    },
  );
};
