import { channelAnswer, channelParams } from '../../schemas/notifications.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { plain } from './plain.ts';

export const getNotificationChannel: AddRoute = (server, app) => {
  server.get(
    `${API}/alerts/channels/:id`,
    {
      config: { permission: 'monitoring:read' },
      schema: {
        operationId: 'getNotificationChannel',
        summary: 'Read a notification channel',
        description: 'Without what is secret.',
        tags: ['monitoring'],
        params: channelParams,
        response: answers({ 200: channelAnswer }, 400, 404),
      },
    },
    async (request) => plain(await app.notifications.channels.get(request.params.id)),
  );
};
