import { statusAnswer } from '../../schemas/notifications.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { plain } from './plain.ts';

export const getNotificationStatus: AddRoute = (server, app) => {
  server.get(
    `${API}/alerts/status`,
    {
      config: { permission: 'monitoring:read' },
      schema: {
        operationId: 'getNotificationStatus',
        summary: 'Tell whether alerts reach somebody',
        description: 'How many alerts are active, and whether there is a channel that works.',
        tags: ['monitoring'],
        response: answers({ 200: statusAnswer }),
      },
    },
    async () => plain(await app.notifications.status()),
  );
};
