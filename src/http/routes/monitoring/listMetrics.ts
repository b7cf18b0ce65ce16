import { metricsAnswer } from '../../schemas/monitoring.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const listMetrics: AddRoute = (server, app) => {
  server.get(
    `${API}/metrics`,
    {
      config: { permission: 'monitoring:read' },
      schema: {
        operationId: 'listMetrics',
        summary: 'List the metrics that can be asked for',
        tags: ['monitoring'],
        response: answers({ 200: metricsAnswer }),
      },
    },
    async () => ({ data: app.monitoringService.listMetrics() }),
  );
};
