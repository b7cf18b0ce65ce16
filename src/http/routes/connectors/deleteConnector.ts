import { z } from 'zod';
import { platformParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const deleteConnector: AddRoute = (server, app) => {
  server.delete(
    `${API}/connectors/:platform`,
    {
      config: { permission: 'connectors:write' },
      schema: {
        operationId: 'deleteConnector',
        summary: 'Take away a platform that was added',
        description: 'One that comes with the product is then used again.',
        tags: ['connectors'],
        params: platformParams,
        response: answers({ 204: z.undefined().describe('Gone.') }, 404),
      },
    },
    async (request, reply) => {
      await app.connectors.remove(request.params.platform);
      return reply.code(204).send();
    },
  );
};
