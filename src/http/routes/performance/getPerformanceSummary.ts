import { summaryAnswer } from '../../schemas/performance.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const getPerformanceSummary: AddRoute = (server, app) => {
  server.get(
    `${API}/performance/summary`,
    {
      config: { permission: 'integrations:read', about: 'many' },
      schema: {
        operationId: 'getPerformanceSummary',
        summary: 'Sum up the performance of all integrations',
        description: 'Of those that the caller may see, over the last 24 hours as they were last summed up.',
        tags: ['performance'],
        response: answers({ 200: summaryAnswer }),
      },
    },
    async (request) =>
      app.performanceMonitoringService.getPerformanceSummary(await request.access.visible('integrations:read')),
  );
};
