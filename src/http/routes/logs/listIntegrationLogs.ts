import { z } from 'zod';
import { logAnswer, logChoice, logLimit, logTimes, timeRangeOf } from '../../schemas/logs.ts';
import { cursor, integrationParams, pageOf } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const query = z.strictObject({ ...logChoice, ...logTimes, cursor, limit: logLimit });

export const listIntegrationLogs: AddRoute = (server, app) => {
  server.get(
    `${API}/integrations/:id/logs`,
    {
      config: { permission: 'logs:read', about: 'integration' },
      schema: {
        operationId: 'listIntegrationLogs',
        summary: 'Search the logs of an integration',
        description: 'The newest first.',
        tags: ['logs'],
        params: integrationParams,
        querystring: query,
        response: answers({ 200: pageOf(logAnswer) }, 400, 404),
      },
    },
    async (request) => {
      const { id } = await app.catalog.get(request.params.id);
      const { timeRange, from, to, ...options } = request.query;
      const page = await app.logs.history.read(id, { ...options, timeRange: timeRangeOf({ timeRange, from, to }) });
      return { data: page.logs, nextCursor: page.nextCursor };
    },
  );
};
