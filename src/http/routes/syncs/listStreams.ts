import { z } from 'zod';
import { integrationParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { streamAnswer } from '../../schemas/syncs.ts';
import { type AddRoute, API } from '../route.ts';

export const listStreams: AddRoute = (server, app) => {
  server.get(
    `${API}/integrations/:id/streams`,
    {
      config: { permission: 'integrations:read', about: 'integration' },
      schema: {
        operationId: 'listStreams',
        summary: 'List the synced streams of an integration',
        description: 'With the number of records, and deletions that wait for a confirmation.',
        tags: ['syncs'],
        params: integrationParams,
        response: answers({ 200: z.object({ data: z.array(streamAnswer) }) }, 404),
      },
    },
    async (request) => {
      const { id } = await app.catalog.get(request.params.id);
      return { data: await app.sync.streamStatus(id) };
    },
  );
};
