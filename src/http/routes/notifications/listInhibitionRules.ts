import { z } from 'zod';
import { inhibitionAnswer } from '../../schemas/notifications.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { plain } from './plain.ts';

export const listInhibitionRules: AddRoute = (server, app) => {
  server.get(
    `${API}/alerts/inhibitions`,
    {
      config: { permission: 'monitoring:read' },
      schema: {
        operationId: 'listInhibitionRules',
        summary: 'List inhibition rules',
        description: 'All of them, at most 100.',
        tags: ['monitoring'],
        response: answers({ 200: z.object({ data: z.array(inhibitionAnswer) }) }),
      },
    },
    async () => ({ data: (await app.notifications.inhibitions.list()).map(plain) }),
  );
};
