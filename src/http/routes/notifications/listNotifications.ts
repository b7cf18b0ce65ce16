import { z } from 'zod';
import { isId } from '../../../core/ids.ts';
import { LIMITS } from '../../../core/limits.ts';
import { decodeCursor, toPage } from '../../cursor.ts';
import { notificationAnswer } from '../../schemas/notifications.ts';
import { cursor, filterText, limitOf, pageOf } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { plain } from './plain.ts';

const query = z.strictObject({
  channelId: filterText.optional(),
  status: z.enum(['pending', 'delivered', 'failed']).optional(),
  cursor,
  limit: limitOf(LIMITS.pageSizeMax),
});

export const listNotifications: AddRoute = (server, app) => {
  server.get(
    `${API}/alerts/notifications`,
    {
      config: { permission: 'monitoring:read' },
      schema: {
        operationId: 'listNotifications',
        summary: 'List notifications',
        description: 'Newest first, with the latest attempts to deliver each.',
        tags: ['monitoring'],
        querystring: query,
        response: answers({ 200: pageOf(notificationAnswer) }, 400),
      },
    },
    async (request) => {
      const { limit, cursor: from, ...filter } = request.query;
      const before = decodeCursor(from, (text) => isId('notification', text)) ?? undefined;
      const notifications = await app.notifications.listNotifications({ ...filter, limit: limit + 1, before });
      const page = toPage(notifications, limit, ({ id }) => id);
      return { ...page, data: page.data.map(plain) };
    },
  );
};
