import { dashboardAnswer, dashboardParams, savedDashboardBody } from '../../schemas/monitoring.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { viewerOf } from './viewerOf.ts';

export const updateDashboard: AddRoute = (server, app) => {
  server.put(
    `${API}/dashboards/:id`,
    {
      config: { permission: 'monitoring:write' },
      schema: {
        operationId: 'updateDashboard',
        summary: 'Save a dashboard',
        description: 'Takes the version that it was changed from. What it was before is kept as a version.',
        tags: ['monitoring'],
        params: dashboardParams,
        body: savedDashboardBody,
        response: answers({ 200: dashboardAnswer }, 400, 404, 409, 413, 415),
      },
    },
    (request) => {
      const { version, ...input } = request.body;
      return app.monitoringService.dashboards.update(viewerOf(request), request.params.id, input, version);
    },
  );
};
