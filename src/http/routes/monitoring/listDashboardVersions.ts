import { dashboardParams, dashboardVersionsAnswer } from '../../schemas/monitoring.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { viewerOf } from './viewerOf.ts';

export const listDashboardVersions: AddRoute = (server, app) => {
  server.get(
    `${API}/dashboards/:id/versions`,
    {
      config: { permission: 'monitoring:read' },
      schema: {
        operationId: 'listDashboardVersions',
        summary: 'List the versions of a dashboard',
        description: 'The latest first; the last 100 are kept.',
        tags: ['monitoring'],
        params: dashboardParams,
        response: answers({ 200: dashboardVersionsAnswer }, 400, 404),
      },
    },
    async (request) => ({
      data: await app.monitoringService.dashboards.versions(viewerOf(request), request.params.id),
    }),
  );
};
