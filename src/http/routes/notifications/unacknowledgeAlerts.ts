import { z } from 'zod';
import { unacknowledgeBody } from '../../schemas/notifications.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const unacknowledgeAlerts: AddRoute = (server, app) => {
  server.post(
    `${API}/alerts/unacknowledge`,
    {
      config: { permission: 'monitoring:write' },
      schema: {
        operationId: 'unacknowledgeAlerts',
        summary: 'Take acknowledgements back',
        description: 'Escalation goes on where it would be by now.',
        tags: ['monitoring'],
        body: unacknowledgeBody,
        response: answers({ 204: z.undefined().describe('Done.') }, 400, 409, 413, 415, 422),
      },
    },
    async (request, reply) => {
      const visible = await request.access.visible('integrations:read');
      await app.notifications.acknowledgements.unacknowledge(request.body, visible);
      return reply.code(204).send();
    },
  );
};
