import { addInhibitionBody, inhibitionAnswer } from '../../schemas/notifications.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { plain } from './plain.ts';

export const addInhibitionRule: AddRoute = (server, app) => {
  server.post(
    `${API}/alerts/inhibitions`,
    {
      config: { permission: 'monitoring:write' },
      schema: {
        operationId: 'addInhibitionRule',
        summary: 'Add an inhibition rule',
        description: 'While a source fires, its targets are not told of.',
        tags: ['monitoring'],
        body: addInhibitionBody,
        response: answers({ 201: inhibitionAnswer }, 400, 409, 413, 415, 422),
      },
    },
    async (request, reply) => {
      reply.code(201);
      return plain(await app.notifications.inhibitions.add(request.body, request.resourceName));
    },
  );
};
