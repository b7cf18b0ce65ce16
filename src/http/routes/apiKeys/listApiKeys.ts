import { z } from 'zod';
import { isId } from '../../../core/ids.ts';
import { LIMITS } from '../../../core/limits.ts';
import { decodeCursor, toPage } from '../../cursor.ts';
import { apiKeyAnswer } from '../../schemas/apiKeys.ts';
import { cursor, filterText, limitOf, pageOf } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const query = z.strictObject({
  userId: filterText.optional().describe('Only the keys of this user.'),
  cursor,
  limit: limitOf(LIMITS.pageSizeMax),
});

export const listApiKeys: AddRoute = (server, app) => {
  server.get(
    `${API}/api-keys`,
    {
      config: { permission: 'apiKeys:read' },
      schema: {
        operationId: 'listApiKeys',
        summary: 'List the API keys of everybody',
        description: 'In the order they were made. Keys themselves are never returned.',
        tags: ['apiKeys'],
        querystring: query,
        response: answers({ 200: pageOf(apiKeyAnswer) }, 400, 403),
      },
    },
    async (request) => {
      const { userId = null, limit } = request.query;
      const after = decodeCursor(request.query.cursor, (id) => isId('apiKey', id));
      return toPage(await app.access.apiKeys.list(userId, after, limit + 1), limit, ({ id }) => id);
    },
  );
};
