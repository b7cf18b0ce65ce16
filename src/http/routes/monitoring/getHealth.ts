import { healthAnswer } from '../../schemas/monitoring.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const getHealth: AddRoute = (server, app) => {
  server.get(
    `${API}/health`,
    {
      config: { permission: 'monitoring:read' },
      schema: {
        operationId: 'getHealth',
        summary: 'Read the health of every part',
        description: 'Services, system, security and integrations: what was seen, when, and from where on it is bad.',
        tags: ['monitoring'],
        response: answers({ 200: healthAnswer }),
      },
    },
    () => app.monitoringService.getHealth(),
  );
};
