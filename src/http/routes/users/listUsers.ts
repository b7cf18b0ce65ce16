import { z } from 'zod';
import { isId } from '../../../core/ids.ts';
import { LIMITS } from '../../../core/limits.ts';
import { decodeCursor, toPage } from '../../cursor.ts';
import { userAnswer } from '../../schemas/accounts.ts';
import { cursor, limitOf, pageOf } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const querystring = z.strictObject({ limit: limitOf(LIMITS.pageSizeMax), cursor });

export const listUsers: AddRoute = (server, app) => {
  server.get(
    `${API}/users`,
    {
      config: { permission: 'users:read' },
      schema: {
        operationId: 'listUsers',
        summary: 'List the users',
        tags: ['users'],
        querystring,
        response: answers({ 200: pageOf(userAnswer) }, 400),
      },
    },
    async ({ query }) => {
      const after = decodeCursor(query.cursor, (text) => isId('user', text));
      const rows = await app.access.accounts.users.list({ after, limit: query.limit + 1 });
      return toPage(rows, query.limit, ({ id }) => id);
    },
  );
};
