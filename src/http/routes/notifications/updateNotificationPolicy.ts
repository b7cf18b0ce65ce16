import { policyAnswer, policyParams, updatePolicyBody } from '../../schemas/notifications.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { policyOf } from './plain.ts';

export const updateNotificationPolicy: AddRoute = (server, app) => {
  server.patch(
    `${API}/alerts/policies/:id`,
    {
      config: { permission: 'monitoring:write' },
      schema: {
        operationId: 'updateNotificationPolicy',
        summary: 'Change a notification policy',
        description: 'What is left out stays. Of the default policy, matchers and position cannot be changed.',
        tags: ['monitoring'],
        params: policyParams,
        body: updatePolicyBody,
        response: answers({ 200: policyAnswer }, 400, 404, 409, 413, 415),
      },
    },
    async (request) => policyOf(await app.notifications.policies.update(request.params.id, request.body)),
  );
};
