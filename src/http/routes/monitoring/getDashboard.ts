import { dashboardAnswer, dashboardParams } from '../../schemas/monitoring.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { viewerOf } from './viewerOf.ts';

export const getDashboard: AddRoute = (server, app) => {
  server.get(
    `${API}/dashboards/:id`,
    {
      config: { permission: 'monitoring:read' },
      schema: {
        operationId: 'getDashboard',
        summary: 'Read a dashboard',
        tags: ['monitoring'],
        params: dashboardParams,
        response: answers({ 200: dashboardAnswer }, 400, 404),
      },
    },
    (request) => app.monitoringService.dashboards.get(viewerOf(request), request.params.id),
  );
};
