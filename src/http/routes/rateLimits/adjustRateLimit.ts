import { z } from 'zod';
import { filterText, integrationParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { adjustmentBody } from '../../schemas/rateLimits.ts';
import { type AddRoute, API } from '../route.ts';

const params = z.strictObject({ ...integrationParams.shape, action: filterText.describe('What the calls are for.') });

export const adjustRateLimit: AddRoute = (server, app) => {
  server.put(
    `${API}/integrations/:id/rate-limits/:action`,
    {
      config: { permission: 'integrations:update', about: 'integration' },
      schema: {
        operationId: 'adjustRateLimit',
        summary: 'Set a rate limit',
        description: 'Sets the fields given, on every replica within a second. What was used stays used.',
        tags: ['integrations'],
        params,
        body: adjustmentBody,
        response: answers({ 204: z.undefined().describe('Set.') }, 400, 404, 415, 422),
      },
    },
    async (request, reply) => {
      const { id, action } = request.params;
      await app.catalog.get(id);
      await app.rateLimitingService.adjustRateLimit(id, action, request.body);
      return reply.code(204).send();
    },
  );
};
