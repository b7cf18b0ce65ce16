import { z } from 'zod';
import { InvalidConnectorError } from '../../../connectors/errors.ts';
import { parseConnector } from '../../../connectors/loader.ts';
import { connectorSource, connectorSummaryAnswer, toSummary } from '../../schemas/connectors.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const answer = z.object({
  valid: z.boolean(),
  problems: z.array(
    z.object({
      line: z.int(),
      column: z.int(),
      path: z.array(z.union([z.string(), z.int()])),
      message: z.string(),
    }),
  ),
  connector: connectorSummaryAnswer.optional(),
});

export const validateConnector: AddRoute = (server) => {
  server.post(
    `${API}/connectors/validate`,
    {
      config: { permission: 'connectors:read', repeatable: true },
      schema: {
        operationId: 'validateConnector',
        summary: 'Check the description of a platform',
        description: 'Takes YAML as it is (`application/yaml`, `text/yaml`) or in JSON. Stores nothing.',
        tags: ['connectors'],
        body: connectorSource,
        response: answers({ 200: answer }, 400, 413, 415),
      },
    },
    async (request) => {
      try {
        return { valid: true, problems: [], connector: toSummary(parseConnector(request.body.source, 'connector')) };
      } catch (error) {
        if (!(error instanceof InvalidConnectorError)) throw error;
        return { valid: false, problems: error.problems };
      }
    },
  );
};
