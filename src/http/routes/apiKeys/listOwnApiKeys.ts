import { z } from 'zod';
import { isId } from '../../../core/ids.ts';
import { LIMITS } from '../../../core/limits.ts';
import { decodeCursor, toPage } from '../../cursor.ts';
import { apiKeyAnswer } from '../../schemas/apiKeys.ts';
import { cursor, limitOf, pageOf } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { ownUserId } from './ownUserId.ts';

const query = z.strictObject({ cursor, limit: limitOf(LIMITS.pageSizeMax) });

export const listOwnApiKeys: AddRoute = (server, app) => {
  server.get(
    `${API}/me/api-keys`,
    {
      config: { permission: 'self', keysToo: true },
      schema: {
        operationId: 'listOwnApiKeys',
        summary: 'List one’s own API keys',
        description: 'In the order they were made, with those that no longer work. Keys themselves are never returned.',
        tags: ['apiKeys'],
        querystring: query,
        response: answers({ 200: pageOf(apiKeyAnswer) }, 400, 403),
      },
    },
    async (request) => {
      const { limit } = request.query;
      const after = decodeCursor(request.query.cursor, (id) => isId('apiKey', id));
      return toPage(await app.access.apiKeys.list(ownUserId(request), after, limit + 1), limit, ({ id }) => id);
    },
  );
};
