import { z } from 'zod';
import { streamParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const answer = z.object({ deleted: z.int().describe('Records that are marked as deleted now.') });

export const confirmDeletions: AddRoute = (server, app) => {
  server.post(
    `${API}/integrations/:id/streams/:stream/deletions/confirm`,
    {
      config: { permission: 'integrations:sync', about: 'integration' },
      schema: {
        operationId: 'confirmDeletions',
        summary: 'Confirm deletions that were held back',
        description: 'A full read found more deletions than the safe share; nothing is deleted until this.',
        tags: ['syncs'],
        params: streamParams,
        response: answers({ 200: answer }, 404, 409, 422),
      },
    },
    async (request) => {
      const { id } = await app.catalog.get(request.params.id);
      return { deleted: await app.sync.confirmDeletions(id, request.params.stream) };
    },
  );
};
