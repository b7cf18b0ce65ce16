import { integrationParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { runAnswer } from '../../schemas/syncs.ts';
import { type AddRoute, API } from '../route.ts';
import { connectedIntegration } from './connectedIntegration.ts';

export const startSync: AddRoute = (server, app) => {
  server.post(
    `${API}/integrations/:id/sync/start`,
    {
      config: { permission: 'integrations:sync', about: 'integration' },
      schema: {
        operationId: 'startSync',
        summary: 'Start syncing',
        description: 'Schedules by `configuration.syncFrequency` and queues a run now.',
        tags: ['syncs'],
        params: integrationParams,
        response: answers({ 202: runAnswer }, 404, 409, 422),
      },
    },
    async (request, reply) => {
      const { id, configuration } = await connectedIntegration(app, request.params.id);
      const run = await app.sync.start(id, configuration.syncFrequency ?? 'manual', configuration.timezone ?? 'UTC');
      reply.code(202).header('location', `${API}/integrations/${id}/runs/${run.id}`);
      return run;
    },
  );
};
