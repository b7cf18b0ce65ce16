import { channelParams, testAnswer } from '../../schemas/notifications.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const testNotificationChannel: AddRoute = (server, app) => {
  server.post(
    `${API}/alerts/channels/:id/test`,
    {
      config: { permission: 'monitoring:write' },
      schema: {
        operationId: 'testNotificationChannel',
        summary: 'Send a test message',
        description: 'Sends now, once, and answers what really came of it.',
        tags: ['monitoring'],
        params: channelParams,
        response: answers({ 200: testAnswer }, 400, 404, 409, 422),
      },
    },
    async (request) => {
      const { ok, status, detail, durationMs } = await app.notifications.channels.test(request.params.id);
      return { ok, status, detail, durationMs };
    },
  );
};
