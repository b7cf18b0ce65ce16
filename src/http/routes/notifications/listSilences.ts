import { z } from 'zod';
import { isId } from '../../../core/ids.ts';
import { LIMITS } from '../../../core/limits.ts';
import { decodeCursor, toPage } from '../../cursor.ts';
import { silenceAnswer } from '../../schemas/notifications.ts';
import { cursor, flag, limitOf, pageOf } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { plain } from './plain.ts';

const query = z.strictObject({ expired: flag, cursor, limit: limitOf(LIMITS.pageSizeMax) });

export const listSilences: AddRoute = (server, app) => {
  server.get(
    `${API}/alerts/silences`,
    {
      config: { permission: 'monitoring:read' },
      schema: {
        operationId: 'listSilences',
        summary: 'List silences',
        description: 'Newest first; those that are over with `expired=true`, for 90 days.',
        tags: ['monitoring'],
        querystring: query,
        response: answers({ 200: pageOf(silenceAnswer) }, 400),
      },
    },
    async (request) => {
      const { limit, cursor: from, expired } = request.query;
      const before = decodeCursor(from, (text) => isId('silence', text)) ?? undefined;
      const silences = await app.notifications.silences.list({ limit: limit + 1, before, expired });
      const page = toPage(silences, limit, ({ id }) => id);
      return { ...page, data: page.data.map(plain) };
    },
  );
};
