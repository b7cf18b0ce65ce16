import { z } from 'zod';
import { isId } from '../../../core/ids.ts';
import { LIMITS } from '../../../core/limits.ts';
import { decodeCursor, toPage } from '../../cursor.ts';
import { actorOf } from '../../guard/origin.ts';
import { breakGlassAnswer } from '../../schemas/access.ts';
import { cursor, limitOf, pageOf } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { API } from '../route.ts';
import type { AddAccessRoute } from './accessRoute.ts';

export const listBreakGlass: AddAccessRoute = (server, app) => {
  server.get(
    `${API}/break-glass`,
    {
      config: { permission: 'breakGlass:request' },
      schema: {
        operationId: 'listBreakGlass',
        summary: 'List break-glass requests',
        description: 'Those of everybody for who may approve them or see users, else one’s own.',
        tags: ['access'],
        querystring: z.strictObject({ cursor, limit: limitOf(LIMITS.pageSizeMax) }),
        response: answers({ 200: pageOf(breakGlassAnswer) }, 400),
      },
    },
    async (request) => {
      const { limit } = request.query;
      const after = decodeCursor(request.query.cursor, (id) => isId('breakGlass', id));
      return toPage(await app.access.breakGlass.list(actorOf(request), after, limit + 1), limit, ({ id }) => id);
    },
  );
};
