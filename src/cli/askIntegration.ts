import type { App } from '../app.ts';
import { connectionValueProblem, credentialValueProblem } from '../connectors/fieldValues.ts';
import type { AuthMode } from '../connectors/format/auth.ts';
import type { ConnectionField, CredentialField } from '../connectors/format/parts.ts';
import type { Connector } from '../connectors/format.ts';
import { connectorFor } from '../connectors/resolve.ts';
import type { CreateIntegrationData } from '../integrations/types.ts';
import { UsageError } from './errors.ts';
import { fieldValue, type IntegrationDraft } from './integrationDraft.ts';
import { askSecret, askText, choose, type Question } from './prompts.ts';

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
      connection[field.name] = fieldValue(field, await askConnection(field));
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
    const value = await askCredential(field);
    if (value !== '') credentials[field.name] = value;
  }
  return credentials;
}

function askCredential(field: CredentialField): Promise<string> {
  const ask = field.secret ? askSecret : askText;
  return ask(question(field, field.help ?? field.description, credentialValueProblem));
}

function askConnection(field: ConnectionField): Promise<string> {
  return askText(question(field, field.description, (one, text) => connectionValueProblem(one, fieldValue(one, text))));
}

function question<F extends CredentialField | ConnectionField>(
  field: F,
  explanation: string | undefined,
  problem: (field: F, text: string) => string | null,
): Question {
  return {
    message: `${field.title}${field.required ? '' : ' (may be left empty)'}${explanation === undefined ? '' : `\n${explanation}`}`,
    placeholder: field.example,
    required: field.required,
    check(text) {
      const fault = problem(field, text);
      return fault === null ? undefined : `This ${fault}`;
    },
  };
}
