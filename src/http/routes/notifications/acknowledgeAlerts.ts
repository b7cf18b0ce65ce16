import { z } from 'zod';
import { acknowledgeBody } from '../../schemas/notifications.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const acknowledgeAlerts: AddRoute = (server, app) => {
  server.post(
    `${API}/alerts/acknowledge`,
    {
      config: { permission: 'monitoring:write' },
      schema: {
        operationId: 'acknowledgeAlerts',
        summary: 'Acknowledge alerts',
        description: 'Escalation and repeats stop until they are resolved, or until the time given.',
        tags: ['monitoring'],
        body: acknowledgeBody,
        response: answers({ 204: z.undefined().describe('Acknowledged.') }, 400, 409, 413, 415, 422),
      },
    },
    async (request, reply) => {
      const visible = await request.access.visible('integrations:read');
      await app.notifications.acknowledgements.acknowledge(request.body, visible);
      return reply.code(204).send();
    },
  );
};
