import { addMaintenanceBody, maintenanceAnswer } from '../../schemas/notifications.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { plain } from './plain.ts';

export const addMaintenanceWindow: AddRoute = (server, app) => {
  server.post(
    `${API}/alerts/maintenance-windows`,
    {
      config: { permission: 'monitoring:write' },
      schema: {
        operationId: 'addMaintenanceWindow',
        summary: 'Add a maintenance window',
        description:
          'Once, or again and again by a cron expression. Alerts that match are not told of while it is open.',
        tags: ['monitoring'],
        body: addMaintenanceBody,
        response: answers({ 201: maintenanceAnswer }, 400, 409, 413, 415, 422),
      },
    },
    async (request, reply) => {
      reply.code(201);
      return plain(await app.notifications.maintenance.add(request.body, request.resourceName));
    },
  );
};
