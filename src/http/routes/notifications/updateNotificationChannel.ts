import { channelAnswer, channelParams, updateChannelBody } from '../../schemas/notifications.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { plain } from './plain.ts';

export const updateNotificationChannel: AddRoute = (server, app) => {
  server.patch(
    `${API}/alerts/channels/:id`,
    {
      config: { permission: 'monitoring:write' },
      schema: {
        operationId: 'updateNotificationChannel',
        summary: 'Change a notification channel',
        description:
          'What is left out stays; `settings` are given as a whole. A new signing secret signs beside the former one for a day.',
        tags: ['monitoring'],
        params: channelParams,
        body: updateChannelBody,
        response: answers({ 200: channelAnswer }, 400, 404, 409, 413, 415),
      },
    },
    async (request) => plain(await app.notifications.channels.update(request.params.id, request.body)),
  );
};
