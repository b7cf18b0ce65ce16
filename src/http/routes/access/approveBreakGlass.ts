import { actorOf } from '../../guard/origin.ts';
import { breakGlassAnswer, breakGlassParams } from '../../schemas/access.ts';
import { answers } from '../../schemas/problem.ts';
import { API } from '../route.ts';
import type { AddAccessRoute } from './accessRoute.ts';

export const approveBreakGlass: AddAccessRoute = (server, app) => {
  server.post(
    `${API}/break-glass/:id/approve`,
    {
      config: { permission: 'breakGlass:approve' },
      schema: {
        operationId: 'approveBreakGlass',
        summary: 'Approve break-glass access',
        description: 'By another person than asked, who holds what it opens. It ends by itself.',
        tags: ['access'],
        params: breakGlassParams,
        response: answers({ 200: breakGlassAnswer }, 403, 404, 409, 422),
      },
    },
    async (request) => app.access.breakGlass.approve(actorOf(request), request.params.id),
  );
};
