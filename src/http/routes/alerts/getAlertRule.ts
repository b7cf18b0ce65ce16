import { etagOf } from '../../etag.ts';
import { ruleAnswer, ruleParams } from '../../schemas/alerts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { toRuleAnswer } from './toRuleAnswer.ts';

export const getAlertRule: AddRoute = (server, app) => {
  server.get(
    `${API}/alerts/rules/:id`,
    {
      config: { permission: 'monitoring:read' },
      schema: {
        operationId: 'getAlertRule',
        summary: 'Read an alert rule',
        tags: ['monitoring'],
        params: ruleParams,
        response: answers({ 200: ruleAnswer }, 404),
      },
    },
    async (request, reply) => {
      const rule = toRuleAnswer(await app.alerts.rules.get(request.params.id));
      reply.header('etag', etagOf(rule));
      return rule;
    },
  );
};
