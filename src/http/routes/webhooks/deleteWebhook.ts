import { z } from 'zod';
import { webhookParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const deleteWebhook: AddRoute = (server, app) => {
  server.delete(
    `${API}/webhooks/:id`,
    {
      config: { permission: 'webhooks:write', about: 'webhook' },
      schema: {
        operationId: 'deleteWebhook',
        summary: 'Delete a webhook',
        tags: ['webhooks'],
        params: webhookParams,
        response: answers({ 204: z.undefined().describe('Gone.') }, 404),
      },
    },
    async (request, reply) => {
      await app.integrationService.deleteWebhook(request.params.id);
      return reply.code(204).send();
    },
  );
};
