import { z } from 'zod';
import { channelAnswer } from '../../schemas/notifications.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { plain } from './plain.ts';

export const listNotificationChannels: AddRoute = (server, app) => {
  server.get(
    `${API}/alerts/channels`,
    {
      config: { permission: 'monitoring:read' },
      schema: {
        operationId: 'listNotificationChannels',
        summary: 'List notification channels',
        description: 'All of them, at most 100. Addresses of chats, keys and secrets are never returned.',
        tags: ['monitoring'],
        response: answers({ 200: z.object({ data: z.array(channelAnswer) }) }),
      },
    },
    async () => ({ data: (await app.notifications.channels.list()).map(plain) }),
  );
};
