import { ConflictError } from '../../../core/errors.ts';
import { updateIntegrationSchema } from '../../../integrations/schemas.ts';
import { etagOf, matchedVersion, staleVersion } from '../../etag.ts';
import { integrationAnswer } from '../../schemas/integrations.ts';
import { integrationParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const body = updateIntegrationSchema.meta({
  id: 'UpdateIntegration',
  examples: [{ configuration: { syncFrequency: '15m', startDate: null } }],
});

export const updateIntegration: AddRoute = (server, app) => {
  server.patch(
    `${API}/integrations/:id`,
    {
      config: { permission: 'integrations:update', about: 'integration', documentedHeader: 'If-Match' },
      schema: {
        operationId: 'updateIntegration',
        summary: 'Change an integration',
        description:
          'A JSON merge patch: what is left out stays. Keys of `configuration` are merged, null removes one; `credentials` are replaced as a whole, which takes `credentials:write`.',
        tags: ['integrations'],
        params: integrationParams,
        body,
        response: answers({ 200: integrationAnswer }, 400, 404, 409, 412, 413, 415),
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const ifMatch = request.headers['if-match'];
      const stored = await app.catalog.get(id);
      if (request.body.credentials !== undefined) await request.access.require('credentials:write', stored);
      const version = matchedVersion(ifMatch, stored);
      const change = version === undefined ? request.body : { ...request.body, version };
      const integration = await app.integrationService.updateIntegration(id, change).catch((error: unknown) => {
        throw version !== undefined && error instanceof ConflictError ? staleVersion(id, null) : error;
      });
      reply.header('etag', etagOf(integration));
      return integration;
    },
  );
};
