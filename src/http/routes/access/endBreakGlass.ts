import { actorOf } from '../../guard/origin.ts';
import { breakGlassAnswer, breakGlassParams } from '../../schemas/access.ts';
import { answers } from '../../schemas/problem.ts';
import { API } from '../route.ts';
import type { AddAccessRoute } from './accessRoute.ts';

export const endBreakGlass: AddAccessRoute = (server, app) => {
  server.post(
    `${API}/break-glass/:id/end`,
    {
      config: { permission: 'breakGlass:request' },
      schema: {
        operationId: 'endBreakGlass',
        summary: 'End break-glass access',
        description: 'Before its time, or before it was approved; by who asked or who may approve.',
        tags: ['access'],
        params: breakGlassParams,
        response: answers({ 200: breakGlassAnswer }, 404, 409, 422),
      },
    },
    async (request) => app.access.breakGlass.end(actorOf(request), request.params.id),
  );
};
