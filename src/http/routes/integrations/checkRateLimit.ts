import { z } from 'zod';
import { rateLimitAnswer } from '../../schemas/integrations.ts';
import { filterText, integrationParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const body = z
  .strictObject({ action: filterText.describe('What the call is for.') })
  .meta({ examples: [{ action: 'api_call' }] });

export const checkRateLimit: AddRoute = (server, app) => {
  server.post(
    `${API}/integrations/:id/rate-limit`,
    {
      config: { permission: 'integrations:test', about: 'integration' },
      schema: {
        operationId: 'checkRateLimit',
        summary: 'Ask the rate budget for one call',
        description: 'Takes the call from the budget when it is allowed. Syncs and tests share the same budget.',
        tags: ['integrations'],
        params: integrationParams,
        body,
        response: answers({ 200: rateLimitAnswer }, 400, 404, 409, 415, 422),
      },
    },
    async (request) => app.integrationService.checkRateLimit(request.params.id, request.body.action),
  );
};
