import { z } from 'zod';
import { logAnswer, logChoice, logIntegration, logLimit, logTimes, timeRangeOf } from '../../schemas/logs.ts';
import { cursor, pageOf } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const query = z.strictObject({
  ...logChoice,
  ...logTimes,
  integrationId: logIntegration,
  cursor,
  limit: logLimit,
});

export const listLogs: AddRoute = (server, app) => {
  server.get(
    `${API}/logs`,
    {
      config: { permission: 'logs:read', about: 'many' },
      schema: {
        operationId: 'listLogs',
        summary: 'Search the logs',
        description: 'The newest first. Of integrations that may be seen; of `system` for who may see all.',
        tags: ['logs'],
        querystring: query,
        response: answers({ 200: pageOf(logAnswer) }, 400),
      },
    },
    async (request) => {
      const { integrationId = null, timeRange, from, to, ...options } = request.query;
      const visible = await request.access.visible('logs:read');
      const range = timeRangeOf({ timeRange, from, to });
      const page = await app.logs.history.read({ visible, integrationId }, { ...options, timeRange: range });
      return { data: page.logs, nextCursor: page.nextCursor };
    },
  );
};
