import { SyncRunNotFoundError } from '../../../sync/errors.ts';
import { runParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { runAnswer } from '../../schemas/syncs.ts';
import { type AddRoute, API } from '../route.ts';

export const getRun: AddRoute = (server, app) => {
  server.get(
    `${API}/integrations/:id/runs/:runId`,
    {
      config: { permission: 'integrations:read', about: 'integration' },
      schema: {
        operationId: 'getRun',
        summary: 'Read a run',
        description: 'Counts grow while it is under way.',
        tags: ['syncs'],
        params: runParams,
        response: answers({ 200: runAnswer }, 404),
      },
    },
    async (request) => {
      const { id, runId } = request.params;
      await app.catalog.get(id);
      const run = await app.sync.getRun(runId);
      if (run.integrationId !== id) throw new SyncRunNotFoundError(runId);
      return run;
    },
  );
};
