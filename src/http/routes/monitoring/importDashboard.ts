import { dashboardAnswer, dashboardFileBody } from '../../schemas/monitoring.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const importDashboard: AddRoute = (server, app) => {
  server.post(
    `${API}/dashboards/import`,
    {
      config: { permission: 'monitoring:write' },
      schema: {
        operationId: 'importDashboard',
        summary: 'Import a dashboard',
        description: 'Makes a new dashboard of an exported file.',
        tags: ['monitoring'],
        body: dashboardFileBody,
        response: answers({ 201: dashboardAnswer }, 400, 413, 415, 422),
      },
    },
    async (request, reply) => {
      reply.code(201);
      return app.monitoringService.dashboards.importFile(request.body);
    },
  );
};
