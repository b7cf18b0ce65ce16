import { silenceAnswer, silenceParams } from '../../schemas/notifications.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { plain } from './plain.ts';

export const endSilence: AddRoute = (server, app) => {
  server.delete(
    `${API}/alerts/silences/:id`,
    {
      config: { permission: 'monitoring:write' },
      schema: {
        operationId: 'endSilence',
        summary: 'End a silence',
        description: 'It stays readable for 90 days; one that has not begun is removed.',
        tags: ['monitoring'],
        params: silenceParams,
        response: answers({ 200: silenceAnswer }, 400, 404, 409),
      },
    },
    async (request) => plain(await app.notifications.silences.end(request.params.id)),
  );
};
