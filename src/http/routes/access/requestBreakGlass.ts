import { requestBreakGlassSchema } from '../../../access/breakGlass/breakGlassService.ts';
import { actorOf } from '../../guard/origin.ts';
import { breakGlassAnswer } from '../../schemas/access.ts';
import { answers } from '../../schemas/problem.ts';
import { API } from '../route.ts';
import type { AddAccessRoute } from './accessRoute.ts';

const body = requestBreakGlassSchema.meta({
  id: 'RequestBreakGlass',
  examples: [
    {
      permissions: ['integrations:*'],
      reason: 'The sync of the shop is stuck since noon',
      durationSeconds: 3_600,
    },
  ],
});

export const requestBreakGlass: AddAccessRoute = (server, app) => {
  server.post(
    `${API}/break-glass`,
    {
      config: { permission: 'breakGlass:request' },
      schema: {
        operationId: 'requestBreakGlass',
        summary: 'Ask for break-glass access',
        description: 'More rights for at most 8 hours. Opens nothing until another person has approved it.',
        tags: ['access'],
        body,
        response: answers({ 201: breakGlassAnswer }, 400, 403, 409, 413, 415, 422),
      },
    },
    async (request, reply) => {
      const requested = await app.access.breakGlass.request(actorOf(request), request.body, request.resourceName);
      reply.code(201);
      return requested;
    },
  );
};
