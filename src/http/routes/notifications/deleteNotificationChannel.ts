import { z } from 'zod';
import { channelParams } from '../../schemas/notifications.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const deleteNotificationChannel: AddRoute = (server, app) => {
  server.delete(
    `${API}/alerts/channels/:id`,
    {
      config: { permission: 'monitoring:write' },
      schema: {
        operationId: 'deleteNotificationChannel',
        summary: 'Delete a notification channel',
        description: 'Refused while a policy names it.',
        tags: ['monitoring'],
        params: channelParams,
        response: answers({ 204: z.undefined().describe('Gone.') }, 400, 404, 409),
      },
    },
    async (request, reply) => {
      await app.notifications.channels.delete(request.params.id);
      return reply.code(204).send();
    },
  );
};
