import { etagOf } from '../../etag.ts';
import { createRuleBody, ruleAnswer } from '../../schemas/alerts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { toRuleAnswer } from './toRuleAnswer.ts';

export const createAlertRule: AddRoute = (server, app) => {
  server.post(
    `${API}/alerts/rules`,
    {
      config: { permission: 'monitoring:write' },
      schema: {
        operationId: 'createAlertRule',
        summary: 'Create an alert rule',
        description: 'Is evaluated from the next multiple of its interval on.',
        tags: ['monitoring'],
        body: createRuleBody,
        response: answers({ 201: ruleAnswer }, 400, 409, 413, 415, 422),
      },
    },
    async (request, reply) => {
      const rule = toRuleAnswer(await app.alerts.rules.create(request.body, request.resourceName));
      reply.code(201).header('location', `${API}/alerts/rules/${rule.id}`).header('etag', etagOf(rule));
      return rule;
    },
  );
};
