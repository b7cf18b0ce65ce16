import type { ConnectionField } from '../connectors/format/parts.ts';
import type { Connector } from '../connectors/format.ts';
import type { CreateIntegrationData, IntegrationConfiguration } from '../integrations/types.ts';
import { UsageError } from './errors.ts';
import { readObject } from './inputFile.ts';

/** The flags of `integrations create`. */
export interface DraftOptions {
  readonly platform?: string;
  readonly name?: string;
  readonly type?: string;
  readonly owner?: string;
  readonly credentialsFile?: string;
  readonly configurationFile?: string;
  readonly connectorFile?: string;
  readonly connection?: readonly string[];
  readonly authMode?: string;
  readonly syncFrequency?: string;
  readonly timezone?: string;
  readonly startDate?: string;
  readonly stream?: string[];
}

/** What the flags and files say of a new integration. */
export type IntegrationDraft = Partial<CreateIntegrationData> & { configuration: IntegrationConfiguration };

/** Reads the flags and files; their content is checked where the integration is made. */
export async function readDraft(options: DraftOptions): Promise<IntegrationDraft> {
  const { platform, name, type, owner, authMode, syncFrequency, timezone, startDate, stream: streams } = options;
  const files = [options.credentialsFile, options.configurationFile, options.connectorFile];
  if (files.filter((file) => file === '-').length > 1) throw new UsageError('Only one file can come from stdin ("-").');
  const read = (file: string | undefined, example: string) =>
    file === undefined ? undefined : readObject(file, example);
  const credentials = await read(options.credentialsFile, '{"token": "…"}');
  const configured = await read(options.configurationFile, '{"syncFrequency": "hourly"}');
  // What says which platform a file describes has no place in an integration, whose platform is "http".
  const { platform: _, category: __, ...connector } = (await read(options.connectorFile, '{"baseUrl": "…"}')) ?? {};
  const connection = options.connection && Object.fromEntries(options.connection.map(toField));
  return {
    ...given({ platform, name, type, owner, credentials: credentials as Record<string, string> | undefined }),
    configuration: {
      ...configured,
      ...given({ authMode, syncFrequency, timezone, startDate, streams, connection }),
      ...(options.connectorFile === undefined ? {} : { connector }),
    },
  };
}

/** Flags are text; fields that take numbers or true/false get them. */
export function withTypedConnection(draft: IntegrationDraft, connector: Connector): IntegrationDraft {
  const fields = new Map(connector.connection.map((field) => [field.name, field]));
  const typed = Object.entries(draft.configuration.connection ?? {}).map(([name, value]) => {
    const field = fields.get(name);
    return [name, field === undefined || typeof value !== 'string' ? value : fieldValue(field, value)];
  });
  if (typed.length === 0) return draft;
  return { ...draft, configuration: { ...draft.configuration, connection: Object.fromEntries(typed) } };
}

/** What was typed, as the kind of value the field takes; what does not fit is left for the checks to refuse. */
export function fieldValue({ type }: ConnectionField, text: string): string | number | boolean {
  if (type === 'integer' && /^-?\d+$/.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

function toField(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`--connection takes field=value, such as shop=acme; got ${JSON.stringify(text)}.`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function given<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
