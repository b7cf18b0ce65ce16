import { dashboardFileAnswer, dashboardParams } from '../../schemas/monitoring.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { viewerOf } from './viewerOf.ts';

export const exportDashboard: AddRoute = (server, app) => {
  server.get(
    `${API}/dashboards/:id/export`,
    {
      config: { permission: 'monitoring:read' },
      schema: {
        operationId: 'exportDashboard',
        summary: 'Export a dashboard',
        description: 'As a file that the import takes, here or elsewhere.',
        tags: ['monitoring'],
        params: dashboardParams,
        response: answers({ 200: dashboardFileAnswer }, 400, 404),
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const file = await app.monitoringService.dashboards.exportFile(viewerOf(request), id);
      reply.header('content-disposition', `attachment; filename="${id}.json"`);
      return file;
    },
  );
};
