import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { AbortedError } from '../../../core/errors.ts';
import { flag, integrationParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { resultAnswer, runAnswer } from '../../schemas/syncs.ts';
import { type AddRoute, API } from '../route.ts';
import { connectedIntegration } from './connectedIntegration.ts';

const MAX_WAIT_MS = 60_000;

const body = z
  .strictObject({
    fullRefresh: z.boolean().optional().describe('Reads every stream from the start, and finds deletions.'),
    streams: z.array(z.string().min(1).max(200)).min(1).max(200).optional().describe('Only these streams.'),
  })
  .optional()
  .meta({ examples: [{ fullRefresh: true, streams: ['issues'] }] });

const query = z.strictObject({
  wait: flag.describe('Waits up to 60 seconds for the end of the run and then answers it with 200.'),
});

export const syncIntegration: AddRoute = (server, app) => {
  server.post(
    `${API}/integrations/:id/sync`,
    {
      config: { permission: 'integrations:sync', about: 'integration' },
      schema: {
        operationId: 'syncIntegration',
        summary: 'Sync now',
        description:
          'Queues a run, or gives the one under way: an integration has one at a time. Follow it at the address in `Location`. A failed run is an answer, not a problem.',
        tags: ['syncs'],
        params: integrationParams,
        querystring: query,
        body,
        response: answers({ 200: resultAnswer, 202: runAnswer }, 400, 404, 409, 415, 422),
      },
    },
    async (request, reply) => {
      const { id } = await connectedIntegration(app, request.params.id);
      const run = await app.sync.requestRun(id, { ...request.body, trigger: 'manual' });
      reply.header('location', `${API}/integrations/${id}/runs/${run.id}`);
      if (!request.query.wait) return reply.code(202).send(run);
      try {
        const signal = AbortSignal.any([AbortSignal.timeout(MAX_WAIT_MS), closed(reply.raw)]);
        return await app.sync.waitForRun(run.id, signal);
      } catch (error) {
        if (!(error instanceof AbortedError)) throw error;
        return reply.code(202).send(await app.sync.getRun(run.id));
      }
    },
  );
};

/** Fires when nobody listens any more. */
function closed(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => controller.abort());
  return controller.signal;
}
