import { ConnectorNotFoundError } from '../../../connectors/errors.ts';
import { suggestion } from '../../../core/input.ts';
import { connectorAnswer, toAnswer } from '../../schemas/connectors.ts';
import { platformParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

export const getConnector: AddRoute = (server, app) => {
  server.get(
    `${API}/connectors/:platform`,
    {
      config: { permission: 'connectors:read' },
      schema: {
        operationId: 'getConnector',
        summary: 'Read a platform',
        description: 'With the fields that a form has to ask for.',
        tags: ['connectors'],
        params: platformParams,
        response: answers({ 200: connectorAnswer }, 404),
      },
    },
    async (request) => {
      const { platform } = request.params;
      const connector = await app.connectors.get(platform);
      if (connector !== null) return toAnswer(connector);
      const known = (await app.connectors.list()).map((one) => one.platform);
      throw new ConnectorNotFoundError(
        `There is no platform ${JSON.stringify(platform)}.${suggestion(platform, known)} Known are: ${known.join(', ')}.`,
        { details: { platform } },
      );
    },
  );
};
