import { z } from 'zod';
import { histogramAnswer, logChoice, logIntegration, logTimes, timeRangeOf } from '../../schemas/logs.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const query = z.strictObject({ ...logChoice, ...logTimes, integrationId: logIntegration });

export const getLogHistogram: AddRoute = (server, app) => {
  server.get(
    `${API}/logs/histogram`,
    {
      config: { permission: 'logs:read', about: 'many' },
      schema: {
        operationId: 'getLogHistogram',
        summary: 'Count what a search of the logs finds',
        description: 'By time, in up to 100 buckets of equal length, and by level.',
        tags: ['logs'],
        querystring: query,
        response: answers({ 200: histogramAnswer }, 400),
      },
    },
    async (request) => {
      const { integrationId = null, timeRange, from, to, ...choice } = request.query;
      const visible = await request.access.visible('logs:read');
      const range = timeRangeOf({ timeRange, from, to });
      return await app.logs.history.histogram({ visible, integrationId }, { ...choice, timeRange: range });
    },
  );
};
