import { z } from 'zod';
import { ConflictError } from '../../../core/errors.ts';
import { matchedVersion, staleVersion } from '../../etag.ts';
import { integrationParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const deleteIntegration: AddRoute = (server, app) => {
  server.delete(
    `${API}/integrations/:id`,
    {
      config: { permission: 'integrations:delete', about: 'integration', documentedHeader: 'If-Match' },
      schema: {
        operationId: 'deleteIntegration',
        summary: 'Delete an integration',
        description:
          'Ends its syncs, revokes the credentials where the provider can, and erases them. Its records are erased in the background.',
        tags: ['integrations'],
        params: integrationParams,
        response: answers({ 204: z.undefined().describe('Gone.') }, 404, 412),
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const ifMatch = request.headers['if-match'];
      const version = ifMatch === undefined ? undefined : matchedVersion(ifMatch, await app.catalog.get(id));
      await app.integrationService.deleteIntegration(id, { version }).catch((error: unknown) => {
        throw error instanceof ConflictError ? staleVersion(id, null) : error;
      });
      return reply.code(204).send();
    },
  );
};
