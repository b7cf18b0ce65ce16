import { dashboardAnswer, dashboardBody } from '../../schemas/monitoring.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const createDashboard: AddRoute = (server, app) => {
  server.post(
    `${API}/dashboards`,
    {
      config: { permission: 'monitoring:write' },
      schema: {
        operationId: 'createDashboard',
        summary: 'Make a dashboard',
        tags: ['monitoring'],
        body: dashboardBody,
        response: answers({ 201: dashboardAnswer }, 400, 413, 415, 422),
      },
    },
    async (request, reply) => {
      reply.code(201);
      return app.monitoringService.dashboards.create(request.body);
    },
  );
};
