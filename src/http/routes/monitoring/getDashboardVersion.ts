import { dashboardAnswer, dashboardVersionParams } from '../../schemas/monitoring.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { viewerOf } from './viewerOf.ts';

export const getDashboardVersion: AddRoute = (server, app) => {
  server.get(
    `${API}/dashboards/:id/versions/:version`,
    {
      config: { permission: 'monitoring:read' },
      schema: {
        operationId: 'getDashboardVersion',
        summary: 'Read a version of a dashboard',
        tags: ['monitoring'],
        params: dashboardVersionParams,
        response: answers({ 200: dashboardAnswer }, 400, 404),
      },
    },
    (request) => {
      const { id, version } = request.params;
      return app.monitoringService.dashboards.version(viewerOf(request), id, version);
    },
  );
};
