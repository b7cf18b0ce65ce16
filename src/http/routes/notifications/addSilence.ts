import { addSilenceBody, silenceAnswer } from '../../schemas/notifications.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { plain } from './plain.ts';

export const addSilence: AddRoute = (server, app) => {
  server.post(
    `${API}/alerts/silences`,
    {
      config: { permission: 'monitoring:write' },
      schema: {
        operationId: 'addSilence',
        summary: 'Silence alerts',
        description: 'Alerts that match are not told of until the silence ends; they are evaluated all the same.',
        tags: ['monitoring'],
        body: addSilenceBody,
        response: answers({ 201: silenceAnswer }, 400, 409, 413, 415, 422),
      },
    },
    async (request, reply) => {
      reply.code(201);
      return plain(await app.notifications.silences.add(request.body, request.resourceName));
    },
  );
};
