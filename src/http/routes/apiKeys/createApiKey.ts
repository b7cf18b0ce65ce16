import { createApiKeySchema } from '../../../access/apiKeys/schemas.ts';
import { actorOf } from '../../guard/origin.ts';
import { madeApiKeyAnswer } from '../../schemas/apiKeys.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { ownUserId } from './ownUserId.ts';

const body = createApiKeySchema.meta({
  id: 'CreateApiKey',
  examples: [{ name: 'Nightly export', permissions: ['integrations:read', 'records:export'], expiresInDays: 90 }],
});

export const createApiKey: AddRoute = (server, app) => {
  server.post(
    `${API}/me/api-keys`,
    {
      config: { permission: 'self', keysToo: true },
      schema: {
        operationId: 'createApiKey',
        summary: 'Make an API key',
        description:
          'It acts for the user who makes it, within its scopes, and is shown this once. A key that makes another gives it its own scopes or fewer.',
        tags: ['apiKeys'],
        body,
        response: answers({ 201: madeApiKeyAnswer }, 400, 403, 409, 415, 422),
      },
    },
    async (request, reply) => {
      const { body: data, resourceName } = request;
      const { apiKey, key } = await app.access.apiKeys.create(actorOf(request), ownUserId(request), data, resourceName);
      reply.code(201).header('location', `${API}/me/api-keys/${apiKey.id}`);
      return { ...apiKey, key };
    },
  );
};
