import { z } from 'zod';
import { actorOf } from '../../guard/origin.ts';
import { apiKeyParams, freezeBody, userParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const frozen = z.undefined().describe('Frozen: nothing of it works any more, and what was under way ends.');

export const freezeUser: AddRoute = (server, app) => {
  server.post(
    `${API}/users/:id/freeze`,
    {
      config: { permission: 'access:freeze' },
      schema: {
        operationId: 'freezeUser',
        summary: 'Freeze a user',
        description:
          'For an account that may be compromised: ends its sessions, suspends its API keys and cuts off its requests, everywhere within a second. Not the last owner, and nobody who may do more than the caller.',
        tags: ['freezes'],
        params: userParams,
        body: freezeBody,
        response: answers({ 204: frozen }, 400, 403, 404, 409, 415, 422),
      },
    },
    async (request, reply) => {
      await app.access.freezer.freeze(actorOf(request), { userId: request.params.id }, request.body.reason);
      return reply.code(204).send();
    },
  );
};

export const freezeApiKey: AddRoute = (server, app) => {
  server.post(
    `${API}/api-keys/:id/freeze`,
    {
      config: { permission: 'access:freeze' },
      schema: {
        operationId: 'freezeApiKey',
        summary: 'Freeze an API key',
        description: 'Suspends this key alone and cuts off its requests, everywhere within a second.',
        tags: ['freezes'],
        params: apiKeyParams,
        body: freezeBody,
        response: answers({ 204: frozen }, 400, 403, 404, 409, 415, 422),
      },
    },
    async (request, reply) => {
      await app.access.freezer.freeze(actorOf(request), { apiKeyId: request.params.id }, request.body.reason);
      return reply.code(204).send();
    },
  );
};
