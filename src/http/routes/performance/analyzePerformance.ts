import { integrationParams } from '../../schemas/parts.ts';
import { analysisAnswer } from '../../schemas/performance.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const analyzePerformance: AddRoute = (server, app) => {
  server.get(
    `${API}/integrations/:id/performance`,
    {
      config: { permission: 'integrations:read', about: 'integration' },
      schema: {
        operationId: 'analyzePerformance',
        summary: 'Analyse how an integration performs',
        description: 'Its last 24 hours, against up to 30 days of hours: score, insights, trend, changes, anomalies.',
        tags: ['performance'],
        params: integrationParams,
        response: answers({ 200: analysisAnswer }, 404),
      },
    },
    async (request) => {
      const { id } = await app.catalog.get(request.params.id);
      return app.performanceMonitoringService.analyzeIntegrationPerformance(id);
    },
  );
};
