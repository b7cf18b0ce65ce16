import { addPolicyBody, policyAnswer } from '../../schemas/notifications.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { policyOf } from './plain.ts';

export const addNotificationPolicy: AddRoute = (server, app) => {
  server.post(
    `${API}/alerts/policies`,
    {
      config: { permission: 'monitoring:write' },
      schema: {
        operationId: 'addNotificationPolicy',
        summary: 'Add a notification policy',
        description: 'Alerts that are active are sorted anew.',
        tags: ['monitoring'],
        body: addPolicyBody,
        response: answers({ 201: policyAnswer }, 400, 409, 413, 415, 422),
      },
    },
    async (request, reply) => {
      const policy = await app.notifications.policies.add(request.body, request.resourceName);
      reply.code(201);
      return policyOf(policy);
    },
  );
};
