import { z } from 'zod';
import { levelBody } from '../../schemas/logSettings.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { requireLogScope } from './requireLogScope.ts';

export const setLogLevel: AddRoute = (server, app) => {
  server.put(
    `${API}/logs/levels`,
    {
      config: { permission: 'logs:write' },
      schema: {
        operationId: 'setLogLevel',
        summary: 'Set from which level on records are taken',
        description: 'Counts on every replica within two seconds.',
        tags: ['logs'],
        body: levelBody,
        response: answers({ 204: z.undefined().describe('Set.') }, 400, 404, 415, 422),
      },
    },
    async ({ body }, reply) => {
      if (body.level !== null) await requireLogScope(app, body.scope);
      await app.comprehensiveLoggingService.settings.setLevel(body.scope, body.level);
      return reply.code(204).send();
    },
  );
};
