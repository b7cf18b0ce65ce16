import { previewAnswer, previewBody } from '../../schemas/alerts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const previewAlertRule: AddRoute = (server, app) => {
  server.post(
    `${API}/alerts/rules/preview`,
    {
      config: { permission: 'monitoring:write' },
      schema: {
        operationId: 'previewAlertRule',
        summary: 'Try an alert rule on the past',
        description: 'What the rule would have made of the last `rangeMs`. Stores nothing and tells nobody.',
        tags: ['monitoring'],
        body: previewBody,
        response: answers({ 200: previewAnswer }, 400, 413, 415),
      },
    },
    async (request) => {
      const { rule, rangeMs } = request.body;
      const visible = await request.access.visible('integrations:read');
      const { from, to, alerts, ...preview } = await app.alerts.preview(rule, rangeMs, visible);
      return {
        ...preview,
        from: new Date(from).toISOString(),
        to: new Date(to).toISOString(),
        alerts: alerts.map(({ labels, transitions }) => ({
          labels: { ...labels },
          transitions: transitions.map((one) => ({ ...one, at: new Date(one.at).toISOString() })),
        })),
      };
    },
  );
};
