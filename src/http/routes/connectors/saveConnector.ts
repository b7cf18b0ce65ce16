import { z } from 'zod';
import { parseConnector } from '../../../connectors/loader.ts';
import { invalidInput } from '../../../core/input.ts';
import { connectorAnswer, connectorSource, toAnswer } from '../../schemas/connectors.ts';
import { platformParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const answer = z.object({
  version: z.int().describe('Of the platform here; the newest counts.'),
  connector: connectorAnswer,
});

export const saveConnector: AddRoute = (server, app) => {
  server.put(
    `${API}/connectors/:platform`,
    {
      config: { permission: 'connectors:write' },
      schema: {
        operationId: 'saveConnector',
        summary: 'Add or replace a platform',
        description:
          'Takes YAML as it is (`application/yaml`, `text/yaml`) or in JSON. Stored as a new version, which wins over one that comes with the product.',
        tags: ['connectors'],
        params: platformParams,
        body: connectorSource,
        response: answers({ 200: answer }, 400, 413, 415),
      },
    },
    async (request) => {
      const { source } = request.body;
      const parsed = parseConnector(source, 'connector');
      const { platform } = parsed;
      if (platform !== request.params.platform) {
        const detail = `is ${JSON.stringify(platform)}, but the address says ${JSON.stringify(request.params.platform)}. Make them the same.`;
        throw invalidInput('The description', [{ pointer: '/platform', detail }]);
      }
      const { connector, version } = await app.connectors.save(source, parsed);
      return { version, connector: toAnswer(connector) };
    },
  );
};
