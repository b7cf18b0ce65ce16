import { z } from 'zod';
import { connectorSummaryAnswer, toSummary } from '../../schemas/connectors.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const listConnectors: AddRoute = (server, app) => {
  server.get(
    `${API}/connectors`,
    {
      config: { permission: 'connectors:read' },
      schema: {
        operationId: 'listConnectors',
        summary: 'List the platforms',
        description: 'Those that come with the product and those added at run time.',
        tags: ['connectors'],
        response: answers({ 200: z.object({ data: z.array(connectorSummaryAnswer) }) }),
      },
    },
    async () => ({ data: (await app.connectors.list()).map(toSummary) }),
  );
};
