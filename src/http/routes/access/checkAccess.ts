import { z } from 'zod';
import { decisionAnswer } from '../../schemas/access.ts';
import { integrationParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { API } from '../route.ts';
import type { AddAccessRoute } from './accessRoute.ts';

const name = integrationParams.shape.id;

const body = z
  .strictObject({
    userId: name.describe('Id of the user.'),
    integrationId: name,
    permission: z.string().min(1).max(100).describe('Such as `records:read`; a verb alone is about integrations.'),
  })
  .meta({
    id: 'CheckAccess',
    examples: [
      {
        userId: 'usr_01k9y3v6h8e7a9m2qf5t0xw4zr',
        integrationId: 'int_01k9y3v6h8e7a9m2qf5t0xw4zr',
        permission: 'read',
      },
    ],
  });

export const checkAccess: AddAccessRoute = (server, app) => {
  server.post(
    `${API}/access/check`,
    {
      config: { permission: 'users:read', repeatable: true },
      schema: {
        operationId: 'checkAccess',
        summary: 'Ask what a user may do',
        description: 'With the reason. An unknown user or integration, or one that you may not see, is a no.',
        tags: ['access'],
        body,
        response: answers({ 200: decisionAnswer }, 400, 413, 415),
      },
    },
    async (request) => app.access.control.explainTo(request.principal, request.body),
  );
};
