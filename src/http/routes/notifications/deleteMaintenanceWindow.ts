import { z } from 'zod';
import { maintenanceParams } from '../../schemas/notifications.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const deleteMaintenanceWindow: AddRoute = (server, app) => {
  server.delete(
    `${API}/alerts/maintenance-windows/:id`,
    {
      config: { permission: 'monitoring:write' },
      schema: {
        operationId: 'deleteMaintenanceWindow',
        summary: 'Delete a maintenance window',
        description: 'What it held back is told of at the next interval.',
        tags: ['monitoring'],
        params: maintenanceParams,
        response: answers({ 204: z.undefined().describe('Gone.') }, 400, 404),
      },
    },
    async (request, reply) => {
      await app.notifications.maintenance.delete(request.params.id);
      return reply.code(204).send();
    },
  );
};
