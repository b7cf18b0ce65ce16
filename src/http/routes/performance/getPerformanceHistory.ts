import { z } from 'zod';
import { integrationParams } from '../../schemas/parts.ts';
import { historyAnswer } from '../../schemas/performance.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const time = z.iso.datetime({ offset: true }).transform(Date.parse);

const query = z.strictObject({
  resolution: z.enum(['minute', 'hour', 'day']).default('hour').describe('Minutes are kept for two days.'),
  from: time.optional().describe('Default: 500 minutes, seven days of hours or a year of days before `until`.'),
  until: time.optional().describe('Default: now. At most 750 points lie between the two.'),
});

export const getPerformanceHistory: AddRoute = (server, app) => {
  server.get(
    `${API}/integrations/:id/performance/history`,
    {
      config: { permission: 'integrations:read', about: 'integration' },
      schema: {
        operationId: 'getPerformanceHistory',
        summary: 'Read how an integration performed',
        description: 'By minutes, hours or days, measured and reported.',
        tags: ['performance'],
        params: integrationParams,
        querystring: query,
        response: answers({ 200: historyAnswer }, 400, 404, 422),
      },
    },
    async (request) => {
      const { id } = await app.catalog.get(request.params.id);
      const { resolution, from: fromMs, until: untilMs } = request.query;
      return app.performanceMonitoringService.readHistoricalPerformanceData(id, { resolution, fromMs, untilMs });
    },
  );
};
