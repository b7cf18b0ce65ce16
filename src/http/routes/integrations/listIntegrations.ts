import { z } from 'zod';
import { isId } from '../../../core/ids.ts';
import { LIMITS } from '../../../core/limits.ts';
import { decodeCursor, toPage } from '../../cursor.ts';
import { integrationAnswer } from '../../schemas/integrations.ts';
import { cursor, filterText, limitOf, pageOf } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const query = z.strictObject({
  platform: filterText.optional(),
  status: z.enum(['pending', 'connected', 'disconnected', 'error']).optional(),
  owner: filterText.optional(),
  type: filterText.optional(),
  cursor,
  limit: limitOf(LIMITS.pageSizeMax),
});

export const listIntegrations: AddRoute = (server, app) => {
  server.get(
    `${API}/integrations`,
    {
      config: { permission: 'integrations:read', about: 'many' },
      schema: {
        operationId: 'listIntegrations',
        summary: 'List integrations',
        description: 'Those that the caller may see, in the order they were made.',
        tags: ['integrations'],
        querystring: query,
        response: answers({ 200: pageOf(integrationAnswer) }, 400),
      },
    },
    async (request) => {
      const { cursor: given, limit, ...filter } = request.query;
      const after = decodeCursor(given, (id) => isId('integration', id));
      const visible = await request.access.visible('integrations:read');
      return toPage(await app.catalog.list(filter, after, limit + 1, visible), limit, ({ id }) => id);
    },
  );
};
