import { connectionTestAnswer } from '../../schemas/integrations.ts';
import { integrationParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const testConnection: AddRoute = (server, app) => {
  server.post(
    `${API}/integrations/:id/test`,
    {
      config: { permission: 'integrations:test', about: 'integration' },
      schema: {
        operationId: 'testConnection',
        summary: 'Test the connection',
        description:
          'Proves the stored credentials with a request that fails without them. A failed test is an answer, not a problem: see `success`, `status` and `error`.',
        tags: ['integrations'],
        params: integrationParams,
        response: answers({ 200: connectionTestAnswer }, 404, 409, 422),
      },
    },
    async (request) => app.integrationService.testConnection(await app.catalog.get(request.params.id)),
  );
};
