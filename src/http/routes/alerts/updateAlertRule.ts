import { ConflictError } from '../../../core/errors.ts';
import { ALERT_RULE, etagOf, matchedVersion, staleVersion } from '../../etag.ts';
import { ruleAnswer, ruleParams, updateRuleBody } from '../../schemas/alerts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { toRuleAnswer } from './toRuleAnswer.ts';

export const updateAlertRule: AddRoute = (server, app) => {
  server.patch(
    `${API}/alerts/rules/:id`,
    {
      config: { permission: 'monitoring:write', documentedHeader: 'If-Match' },
      schema: {
        operationId: 'updateAlertRule',
        summary: 'Change an alert rule',
        description:
          'What is left out stays. Alerts go on under the changed rule; when something else is measured, they end.',
        tags: ['monitoring'],
        params: ruleParams,
        body: updateRuleBody,
        response: answers({ 200: ruleAnswer }, 400, 404, 409, 412, 413, 415),
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const stored = toRuleAnswer(await app.alerts.rules.get(id));
      const version = matchedVersion(request.headers['if-match'], stored, ALERT_RULE);
      const change = version === undefined ? request.body : { ...request.body, version };
      const updated = await app.alerts.rules.update(id, change).catch((error: unknown) => {
        throw version !== undefined && error instanceof ConflictError ? staleVersion(id, null, ALERT_RULE) : error;
      });
      const rule = toRuleAnswer(updated);
      reply.header('etag', etagOf(rule));
      return rule;
    },
  );
};
