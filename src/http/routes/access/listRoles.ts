import { z } from 'zod';
import { roleAnswer } from '../../schemas/access.ts';
import { answers } from '../../schemas/problem.ts';
import { API } from '../route.ts';
import type { AddAccessRoute } from './accessRoute.ts';
import { roleAnswerOf } from './roleAnswerOf.ts';

export const listRoles: AddAccessRoute = (server, app) => {
  server.get(
    `${API}/roles`,
    {
      config: { permission: 'users:read' },
      schema: {
        operationId: 'listRoles',
        summary: 'List roles',
        description: 'All of them, the built-in ones first: there are at most 100 custom roles.',
        tags: ['access'],
        response: answers({ 200: z.object({ data: z.array(roleAnswer) }) }),
      },
    },
    async () => ({ data: (await app.access.roles.list()).map(roleAnswerOf) }),
  );
};
