import { z } from 'zod';
import { retentionBody } from '../../schemas/logSettings.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { requireLogScope } from './requireLogScope.ts';

export const setLogRetention: AddRoute = (server, app) => {
  server.put(
    `${API}/logs/retention`,
    {
      config: { permission: 'logs:write' },
      schema: {
        operationId: 'setLogRetention',
        summary: 'Set how long records are kept',
        description:
          'Rules that are not named stay as they are. Applied within the hour; archived first where an archive is set.',
        tags: ['logs'],
        body: retentionBody,
        response: answers({ 204: z.undefined().describe('Set.') }, 400, 404, 415, 422),
      },
    },
    async ({ body }, reply) => {
      for (const { scope, keepDays } of body.rules ?? []) if (keepDays !== null) await requireLogScope(app, scope);
      await app.comprehensiveLoggingService.settings.changeRetention(body);
      return reply.code(204).send();
    },
  );
};
