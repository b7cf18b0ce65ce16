import { z } from 'zod';
import { policyAnswer } from '../../schemas/notifications.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { policyOf } from './plain.ts';

export const listNotificationPolicies: AddRoute = (server, app) => {
  server.get(
    `${API}/alerts/policies`,
    {
      config: { permission: 'monitoring:read' },
      schema: {
        operationId: 'listNotificationPolicies',
        summary: 'List notification policies',
        description: 'In the order in which they are looked at; the default policy is the last.',
        tags: ['monitoring'],
        response: answers({ 200: z.object({ data: z.array(policyAnswer) }) }),
      },
    },
    async () => ({ data: (await app.notifications.policies.list()).map(policyOf) }),
  );
};
