import { z } from 'zod';
import { LIMITS } from '../../../core/limits.ts';
import { decodeCursor, toPage } from '../../cursor.ts';
import { activeAlertAnswer } from '../../schemas/notifications.ts';
import { cursor, limitOf, pageOf } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { plain } from './plain.ts';

const query = z.strictObject({ cursor, limit: limitOf(LIMITS.pageSizeMax) });

export const listActiveAlerts: AddRoute = (server, app) => {
  server.get(
    `${API}/alerts/active`,
    {
      config: { permission: 'monitoring:read' },
      schema: {
        operationId: 'listActiveAlerts',
        summary: 'List active alerts with what keeps them unheard',
        description: 'Alerts of integrations show up for those who may see the integration.',
        tags: ['monitoring'],
        querystring: query,
        response: answers({ 200: pageOf(activeAlertAnswer) }, 400),
      },
    },
    async (request) => {
      const { limit, cursor: from } = request.query;
      const after = decodeCursor(from, (text) => text.length < 300) ?? undefined;
      const visible = await request.access.visible('integrations:read');
      const alerts = await app.notifications.listActive({ limit: limit + 1, after, visible });
      const page = toPage(alerts, limit, (alert) => alert.key);
      return { ...page, data: page.data.map(plain) };
    },
  );
};
