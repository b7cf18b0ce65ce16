import { z } from 'zod';
import { maintenanceAnswer } from '../../schemas/notifications.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { plain } from './plain.ts';

export const listMaintenanceWindows: AddRoute = (server, app) => {
  server.get(
    `${API}/alerts/maintenance-windows`,
    {
      config: { permission: 'monitoring:read' },
      schema: {
        operationId: 'listMaintenanceWindows',
        summary: 'List maintenance windows',
        description: 'All of them, at most 200.',
        tags: ['monitoring'],
        response: answers({ 200: z.object({ data: z.array(maintenanceAnswer) }) }),
      },
    },
    async () => ({ data: (await app.notifications.maintenance.list()).map(plain) }),
  );
};
