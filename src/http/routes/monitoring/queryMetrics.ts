import { metricQuerySchema } from '../../../monitoring/metrics/metricQuery.ts';
import { metricAnswer } from '../../schemas/monitoring.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const body = metricQuerySchema.meta({
  id: 'MetricQuery',
  examples: [
    { metric: 'response_time_ms', aggregation: 'p95', groupBy: ['platform'], window: '1h' },
    { metric: 'calls', aggregation: 'sum', filter: { '!outcome': 'success' }, from: '2026-11-26T00:00:00Z' },
  ],
});

export const queryMetrics: AddRoute = (server, app) => {
  server.post(
    `${API}/metrics/query`,
    {
      config: { permission: 'monitoring:read' },
      schema: {
        operationId: 'queryMetrics',
        summary: 'Ask for a metric',
        description:
          'One value of each group over a window, or with "from" points in time: at most 1,500 points and 1,000 series. Only integrations that the caller may see count.',
        tags: ['monitoring'],
        body,
        response: answers({ 200: metricAnswer }, 400, 413, 415, 422),
      },
    },
    async (request) =>
      app.monitoringService.queryMetrics(request.body, await request.access.visible('integrations:read')),
  );
};
