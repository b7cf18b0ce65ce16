import { rotateApiKeySchema } from '../../../access/apiKeys/schemas.ts';
import { actorOf } from '../../guard/origin.ts';
import { madeApiKeyAnswer } from '../../schemas/apiKeys.ts';
import { apiKeyParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const body = rotateApiKeySchema.optional().meta({ id: 'RotateApiKey', examples: [{ overlapSeconds: 3_600 }] });

export const rotateApiKey: AddRoute = (server, app) => {
  server.post(
    `${API}/me/api-keys/:id/rotate`,
    {
      config: { permission: 'self', keysToo: true },
      schema: {
        operationId: 'rotateApiKey',
        summary: 'Replace an API key',
        description:
          'Answers a new key of the same name, scopes and lifetime. The old one works beside it for 24 hours, or as long as `overlapSeconds` says.',
        tags: ['apiKeys'],
        params: apiKeyParams,
        body,
        response: answers({ 201: madeApiKeyAnswer }, 400, 403, 404, 409, 415, 422),
      },
    },
    async (request, reply) => {
      const { params, body: data, resourceName } = request;
      const { apiKey, key } = await app.access.apiKeys.rotate(actorOf(request), params.id, data, resourceName);
      reply.code(201).header('location', `${API}/me/api-keys/${apiKey.id}`);
      return { ...apiKey, key };
    },
  );
};
