import { reportAnswer } from '../../schemas/performance.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const getGlobalPerformanceReport: AddRoute = (server, app) => {
  server.get(
    `${API}/performance`,
    {
      config: { permission: 'integrations:read', about: 'many' },
      schema: {
        operationId: 'getGlobalPerformanceReport',
        summary: 'Report on the performance of all integrations',
        description: 'Of those that the caller may see, over the last 24 hours as they were last summed up.',
        tags: ['performance'],
        response: answers({ 200: reportAnswer }),
      },
    },
    async (request) =>
      app.performanceMonitoringService.getGlobalPerformanceReport(await request.access.visible('integrations:read')),
  );
};
