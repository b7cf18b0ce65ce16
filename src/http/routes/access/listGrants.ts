import { z } from 'zod';
import { isId } from '../../../core/ids.ts';
import { LIMITS } from '../../../core/limits.ts';
import { decodeCursor, toPage } from '../../cursor.ts';
import { grantAnswer, userParams } from '../../schemas/access.ts';
import { cursor, limitOf, pageOf } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { API } from '../route.ts';
import type { AddAccessRoute } from './accessRoute.ts';

export const listGrants: AddAccessRoute = (server, app) => {
  server.get(
    `${API}/users/:id/grants`,
    {
      config: { permission: 'users:read' },
      schema: {
        operationId: 'listGrants',
        summary: 'List the grants and denies of a user',
        description: 'In the order they were made. Those that have ended are kept for 30 days.',
        tags: ['access'],
        params: userParams,
        querystring: z.strictObject({ cursor, limit: limitOf(LIMITS.pageSizeMax) }),
        response: answers({ 200: pageOf(grantAnswer) }, 400, 404),
      },
    },
    async (request) => {
      const { limit } = request.query;
      const after = decodeCursor(request.query.cursor, (id) => isId('grant', id));
      return toPage(await app.access.grants.list(request.params.id, after, limit + 1), limit, ({ id }) => id);
    },
  );
};
