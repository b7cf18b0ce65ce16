import { retentionAnswer } from '../../schemas/logSettings.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const getLogRetention: AddRoute = (server, app) => {
  server.get(
    `${API}/logs/retention`,
    {
      config: { permission: 'logs:write' },
      schema: {
        operationId: 'getLogRetention',
        summary: 'Read how long records are kept',
        tags: ['logs'],
        response: answers({ 200: retentionAnswer }),
      },
    },
    async () => {
      const { rules, defaults, maxBytes } = await app.comprehensiveLoggingService.settings.retention();
      return { rules: [...rules], defaults: { ...defaults }, maxBytes };
    },
  );
};
