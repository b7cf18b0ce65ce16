import { z } from 'zod';
import { actorOf } from '../../guard/origin.ts';
import { apiKeyParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const gone = z.undefined().describe('It opens nothing any more.');

export const revokeOwnApiKey: AddRoute = (server, app) => {
  server.delete(
    `${API}/me/api-keys/:id`,
    {
      config: { permission: 'self', keysToo: true },
      schema: {
        operationId: 'revokeOwnApiKey',
        summary: 'Revoke one of one’s own API keys',
        description: 'At once here, within a second on every replica, and for good.',
        tags: ['apiKeys'],
        params: apiKeyParams,
        response: answers({ 204: gone }, 403, 404),
      },
    },
    async (request, reply) => {
      await app.access.apiKeys.revoke(actorOf(request), request.params.id);
      return reply.code(204).send();
    },
  );
};

export const revokeApiKey: AddRoute = (server, app) => {
  server.delete(
    `${API}/api-keys/:id`,
    {
      config: { permission: 'apiKeys:write' },
      schema: {
        operationId: 'revokeApiKey',
        summary: 'Revoke anybody’s API key',
        description: 'Not one of a user who may do more than the caller.',
        tags: ['apiKeys'],
        params: apiKeyParams,
        response: answers({ 204: gone }, 403, 404),
      },
    },
    async (request, reply) => {
      await app.access.apiKeys.revokeAny(actorOf(request), request.params.id);
      return reply.code(204).send();
    },
  );
};
