import { addChannelBody, addedChannelAnswer } from '../../schemas/notifications.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { plain } from './plain.ts';

export const addNotificationChannel: AddRoute = (server, app) => {
  server.post(
    `${API}/alerts/channels`,
    {
      config: { permission: 'monitoring:write' },
      schema: {
        operationId: 'addNotificationChannel',
        summary: 'Add a notification channel',
        description: 'The default policy sends to every channel. Of a webhook, answers the signing secret, this once.',
        tags: ['monitoring'],
        body: addChannelBody,
        response: answers({ 201: addedChannelAnswer }, 400, 409, 413, 415, 422),
      },
    },
    async (request, reply) => {
      const { channel, secret } = await app.notifications.channels.add(request.body, request.resourceName);
      reply.code(201).header('location', `${API}/alerts/channels/${channel.id}`);
      return { ...plain(channel), secret };
    },
  );
};
