import { z } from 'zod';
import { webhookSchema } from '../../../integrations/schemas.ts';
import { webhookParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const body = webhookSchema.partial().meta({ id: 'UpdateWebhook', examples: [{ active: false }] });

export const updateWebhook: AddRoute = (server, app) => {
  server.patch(
    `${API}/webhooks/:id`,
    {
      config: { permission: 'webhooks:write', about: 'webhook' },
      schema: {
        operationId: 'updateWebhook',
        summary: 'Change a webhook',
        description: 'What is left out stays. A `secret` replaces the signing secret.',
        tags: ['webhooks'],
        params: webhookParams,
        body,
        response: answers({ 204: z.undefined().describe('Changed.') }, 400, 404, 413, 415),
      },
    },
    async (request, reply) => {
      await app.integrationService.updateWebhook(request.params.id, request.body);
      return reply.code(204).send();
    },
  );
};
