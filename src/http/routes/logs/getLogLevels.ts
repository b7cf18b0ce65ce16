import { levelsAnswer } from '../../schemas/logSettings.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const getLogLevels: AddRoute = (server, app) => {
  server.get(
    `${API}/logs/levels`,
    {
      config: { permission: 'logs:write' },
      schema: {
        operationId: 'getLogLevels',
        summary: 'Read from which level on records are taken',
        tags: ['logs'],
        response: answers({ 200: levelsAnswer }),
      },
    },
    async () => {
      const levels = await app.comprehensiveLoggingService.settings.levels();
      return {
        started: app.config.logLevel,
        levels: Object.entries(levels).map(([scope, level]) => ({ scope, level })),
      };
    },
  );
};
