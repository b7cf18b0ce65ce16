import { z } from 'zod';
import { policyParams } from '../../schemas/notifications.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const deleteNotificationPolicy: AddRoute = (server, app) => {
  server.delete(
    `${API}/alerts/policies/:id`,
    {
      config: { permission: 'monitoring:write' },
      schema: {
        operationId: 'deleteNotificationPolicy',
        summary: 'Delete a notification policy',
        description: 'Its alerts go to the policies that match them now.',
        tags: ['monitoring'],
        params: policyParams,
        response: answers({ 204: z.undefined().describe('Gone.') }, 400, 404, 409),
      },
    },
    async (request, reply) => {
      await app.notifications.policies.delete(request.params.id);
      return reply.code(204).send();
    },
  );
};
