import type { App } from '../app.ts';
import type { AuthMode } from '../connectors/format/auth.ts';
import type { ConnectionField, CredentialField } from '../connectors/format/parts.ts';
import type { Connector } from '../connectors/format.ts';
import { connectorFor } from '../connectors/resolve.ts';
import type { CreateIntegrationData } from '../integrations/types.ts';
import { UsageError } from './errors.ts';
import { fieldValue, type IntegrationDraft } from './integrationDraft.ts';
import { askSecret, askText, choose } from './prompts.ts';

type Field = CredentialField | ConnectionField;

/** Asks at the terminal for what the draft lacks: platform, name, connection fields, the way to authenticate, credentials. */
export async function askIntegration({ connectors }: App, draft: IntegrationDraft): Promise<CreateIntegrationData> {
  const platform = draft.platform ?? (await askPlatform(await connectors.list()));
  if (platform === 'http' && draft.configuration.connector === undefined)
    throw new UsageError(
      'Platform http takes a description of the API: --connector-file. "connectors new" writes a start.',
    );
  const found = await connectors.get(platform);
  // An unknown platform is refused by the service, which knows the near ones.
  if (found === null) return { ...draft, platform, name: draft.name ?? platform };
  const connector = connectorFor(found, draft.configuration);

  const name = draft.name ?? (await askText({ message: 'Name', initialValue: connector.title }));
  const connection = { ...draft.configuration.connection };
  for (const field of connector.connection) {
    if (field.required && field.default === undefined && connection[field.name] === undefined)
      connection[field.name] = fieldValue(field, await askField(field, true));
  }
  const configuration = { ...draft.configuration, connection };
  if (draft.credentials !== undefined) return { ...draft, platform, name, configuration };

  const mode = await askMode(connector, configuration.authMode);
  const credentials = await askCredentials(mode);
  return {
    ...draft,
    platform,
    name,
    configuration: { ...configuration, ...(connector.auth.length > 1 ? { authMode: mode.name } : {}) },
    ...(mode.fields.length > 0 ? { credentials } : {}),
  };
}

function askPlatform(connectors: readonly Connector[]): Promise<string> {
  return choose(
    'Platform',
    connectors.map(({ platform, title, category }) => ({ value: platform, label: title, hint: category })),
  );
}

async function askMode({ auth }: Connector, wanted: string | undefined): Promise<AuthMode> {
  const [only] = auth;
  const name =
    wanted ??
    (auth.length === 1
      ? only!.name
      : await choose(
          'How to authenticate',
          auth.map((mode) => ({ value: mode.name, label: mode.title })),
        ));
  const mode = auth.find((one) => one.name === name);
  if (mode === undefined)
    throw new UsageError(`--auth-mode takes one of ${auth.map((one) => one.name).join(', ')}; got ${name}.`);
  return mode;
}

async function askCredentials({ fields }: AuthMode): Promise<Record<string, string>> {
  const credentials: Record<string, string> = {};
  for (const field of fields) {
    const value = await askField(field, field.required, field.secret);
    if (value !== '') credentials[field.name] = value;
  }
  return credentials;
}

function askField(field: Field, required: boolean, secret = false): Promise<string> {
  const help = 'help' in field ? field.help : undefined;
  const explained = help ?? field.description;
  const message = `${field.title}${required ? '' : ' (may be left empty)'}${explained === undefined ? '' : `\n${explained}`}`;
  const ask = secret ? askSecret : askText;
  return ask({ message, placeholder: field.example, required, check: (value) => checkPattern(field, value) });
}

function checkPattern({ pattern, hint, example }: Field, value: string): string | undefined {
  if (pattern === undefined || new RegExp(pattern).test(value)) return undefined;
  const like = hint ?? (example === undefined ? pattern : `something like ${example}`);
  return `This takes ${like}.`;
}
