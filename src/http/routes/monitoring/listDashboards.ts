import { dashboardsAnswer } from '../../schemas/monitoring.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { viewerOf } from './viewerOf.ts';

export const listDashboards: AddRoute = (server, app) => {
  server.get(
    `${API}/dashboards`,
    {
      config: { permission: 'monitoring:read' },
      schema: {
        operationId: 'listDashboards',
        summary: 'List dashboards',
        description: 'The ready ones, then the others by title.',
        tags: ['monitoring'],
        response: answers({ 200: dashboardsAnswer }),
      },
    },
    async (request) => ({ data: await app.monitoringService.dashboards.list(viewerOf(request)) }),
  );
};
