import { z } from 'zod';
import type { Connector } from '../../connectors/format.ts';

const field = z.object({
  name: z.string(),
  title: z.string(),
  description: z.string().optional(),
  pattern: z.string().optional(),
  hint: z.string().optional(),
  example: z.string().optional(),
  required: z.boolean(),
});

const summaryShape = {
  platform: z.string(),
  title: z.string(),
  category: z.string(),
  description: z.string().optional(),
  docsUrl: z.string(),
  apiVersion: z.string(),
  streams: z.array(z.string()),
};

export const connectorSummaryAnswer = z.object(summaryShape).meta({ id: 'ConnectorSummary' });

export const connectorAnswer = z
  .object({
    ...summaryShape,
    connection: z
      .array(
        z.object({
          ...field.shape,
          type: z.enum(['string', 'url', 'integer', 'boolean']),
          default: z.union([z.string(), z.number(), z.boolean()]).optional(),
        }),
      )
      .describe('Fields of `configuration.connection`.'),
    auth: z
      .array(
        z.object({
          name: z.string().describe('Value of `configuration.authMode`.'),
          title: z.string(),
          type: z.string(),
          fields: z.array(z.object({ ...field.shape, secret: z.boolean(), help: z.string().optional() })),
        }),
      )
      .describe('Ways to authenticate, with the fields of `credentials`.'),
    definition: z.record(z.string(), z.unknown()).describe('The whole description in the connector format.'),
  })
  .meta({ id: 'Connector', description: 'A platform, with what a form needs to ask for.' });

export function toSummary(connector: Connector) {
  const { platform, title, category, description, docsUrl, apiVersion, streams } = connector;
  return { platform, title, category, description, docsUrl, apiVersion, streams: streams.map(({ name }) => name) };
}

export function toAnswer(connector: Connector) {
  const { connection, auth } = connector;
  return { ...toSummary(connector), connection, auth, definition: { ...connector } };
}

/** What a person writes or edits: YAML, also wrapped in JSON. */
export const connectorSource = z
  .strictObject({ source: z.string().min(1).describe('The description as YAML (or JSON, which is YAML too).') })
  .meta({ id: 'ConnectorSource' });
