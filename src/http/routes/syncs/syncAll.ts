import { z } from 'zod';
import type { App } from '../../../app.ts';
import { ConflictError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { VisibleIntegrations } from '../../../integrations/visibleIntegrations.ts';
import type { SyncRun } from '../../../sync/types.ts';
import { answers } from '../../schemas/problem.ts';
import { runAnswer } from '../../schemas/syncs.ts';
import { type AddRoute, API } from '../route.ts';

const QUEUED_AT_A_TIME = 4;

const answer = z.object({
  count: z.int().describe('How many runs are queued or under way by this.'),
  runs: z.array(runAnswer).describe(`The first ${LIMITS.pageSizeMax} of them.`),
});

export const syncAll: AddRoute = (server, app) => {
  server.post(
    `${API}/sync`,
    {
      config: { permission: 'integrations:sync', about: 'many' },
      schema: {
        operationId: 'syncAll',
        summary: 'Sync everything',
        description:
          'Queues a run for every integration that the caller may sync and that is not disconnected; workers take them in turn.',
        tags: ['syncs'],
        response: answers({ 202: answer }, 409, 422),
      },
    },
    async (request, reply) => {
      reply.code(202);
      return queueAll(app, await request.access.visible('integrations:sync'));
    },
  );
};

async function queueAll(
  { catalog, sync }: App,
  visible: VisibleIntegrations,
): Promise<{ count: number; runs: SyncRun[] }> {
  const runs: SyncRun[] = [];
  let count = 0;
  const integrations = catalog.all({}, visible);
  // Several loops share the generator, so `for await`, which closes it, is not for them.
  const queueSome = async (): Promise<void> => {
    for (let next = await integrations.next(); next.done !== true; next = await integrations.next()) {
      const { id, status } = next.value;
      if (status === 'disconnected') continue;
      const run = await sync.requestRun(id, { trigger: 'manual' }).catch(unlessDeleted);
      if (run === undefined) continue;
      count++;
      if (runs.length < LIMITS.pageSizeMax) runs.push(run);
    }
  };
  await Promise.all(Array.from({ length: QUEUED_AT_A_TIME }, queueSome));
  return { count, runs };
}

function unlessDeleted(error: unknown): undefined {
  if (!(error instanceof ConflictError)) throw error;
}
