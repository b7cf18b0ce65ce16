import { z } from 'zod';
import { ruleParams } from '../../schemas/alerts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const deleteAlertRule: AddRoute = (server, app) => {
  server.delete(
    `${API}/alerts/rules/:id`,
    {
      config: { permission: 'monitoring:write' },
      schema: {
        operationId: 'deleteAlertRule',
        summary: 'Delete an alert rule',
        description: 'Its alerts end within seconds. A default rule does not come back.',
        tags: ['monitoring'],
        params: ruleParams,
        response: answers({ 204: z.undefined().describe('Gone.') }, 404),
      },
    },
    async (request, reply) => {
      await app.alerts.rules.delete(request.params.id);
      return reply.code(204).send();
    },
  );
};
