import { ruleParams, triedAnswer } from '../../schemas/alerts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const testAlertRule: AddRoute = (server, app) => {
  server.post(
    `${API}/alerts/rules/:id/test`,
    {
      config: { permission: 'monitoring:read' },
      schema: {
        operationId: 'testAlertRule',
        summary: 'Evaluate an alert rule now',
        description: 'Shows the values and what would become of the alerts. Stores nothing and tells nobody.',
        tags: ['monitoring'],
        params: ruleParams,
        response: answers({ 200: triedAnswer }, 404),
      },
    },
    async (request) => {
      const visible = await request.access.visible('integrations:read');
      const { at, series, ...tried } = await app.alerts.test(request.params.id, visible);
      return {
        ...tried,
        at: new Date(at).toISOString(),
        series: series.map((one) => ({ ...one, labels: { ...one.labels } })),
      };
    },
  );
};
