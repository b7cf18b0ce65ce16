import { z } from 'zod';
import { actorOf } from '../../guard/origin.ts';
import { apiKeyParams, userParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const active = z.undefined().describe('Active again.');

export const unfreezeUser: AddRoute = (server, app) => {
  server.delete(
    `${API}/users/:id/freeze`,
    {
      config: { permission: 'access:freeze' },
      schema: {
        operationId: 'unfreezeUser',
        summary: 'Unfreeze a user',
        description: 'Their API keys work again; sessions do not come back.',
        tags: ['freezes'],
        params: userParams,
        response: answers({ 204: active }, 403, 404, 409),
      },
    },
    async (request, reply) => {
      await app.access.freezer.unfreeze(actorOf(request), { userId: request.params.id });
      return reply.code(204).send();
    },
  );
};

export const unfreezeApiKey: AddRoute = (server, app) => {
  server.delete(
    `${API}/api-keys/:id/freeze`,
    {
      config: { permission: 'access:freeze' },
      schema: {
        operationId: 'unfreezeApiKey',
        summary: 'Unfreeze an API key',
        description: 'It works again, unless its time is over or its user is frozen.',
        tags: ['freezes'],
        params: apiKeyParams,
        response: answers({ 204: active }, 403, 404, 409),
      },
    },
    async (request, reply) => {
      await app.access.freezer.unfreeze(actorOf(request), { apiKeyId: request.params.id });
      return reply.code(204).send();
    },
  );
};
