import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { InputProblem } from '../core/errors.ts';
import { invalidInput, suggestion } from '../core/input.ts';
import type { IntegrationConfiguration } from '../integrations/types.ts';
import { inferAuthMode } from './authMode.ts';
import { DESCRIBED_PLATFORM, describeApi } from './describedApi.ts';
import { connectionValueProblem, credentialValueProblem } from './fieldValues.ts';
import type { Connector } from './format.ts';
import { pointer } from './pointer.ts';
import { isTooDeep, TOO_DEEP } from './validate.ts';

const described = new LRUCache<string, Connector>({ max: 500 });

/**
 * The connector as this integration uses it. For `http` the integration's own `configuration.connector` takes the
 * place of the general description, key by key; every other platform is as it is.
 * @throws InvalidInputError that lists everything wrong with `configuration.connector`
 */
export function connectorFor(connector: Connector, configuration: IntegrationConfiguration): Connector {
  const description = configuration.connector;
  if (connector.platform !== DESCRIBED_PLATFORM || description === undefined) return connector;
  if (isTooDeep(description))
    throw invalidInput('The description of the API', [
      { pointer: pointer('configuration', 'connector'), detail: TOO_DEEP },
    ]);
  const key = createHash('sha256')
    .update(JSON.stringify([connector, description]))
    .digest('base64');
  let result = described.get(key);
  if (result === undefined) {
    result = describeApi(connector, description);
    described.set(key, result);
  }
  return result;
}

/** The connection fields' defaults. */
export function connectionDefaults(connector: Connector): Record<string, string | number | boolean> {
  return Object.fromEntries(
    connector.connection.flatMap((field) =>
      field.default === undefined ? [] : [[field.name, field.default] as const],
    ),
  );
}

/** Whether it does not work without credentials. */
export function needsCredentials(connector: Connector, authMode?: string): boolean {
  return !('mode' in inferAuthMode(connector, [], authMode));
}

/** What an integration brings for its connector. */
export interface IntegrationInput {
  /** Null when none are given: those stored, if any, stay. */
  readonly credentials: Readonly<Record<string, string>> | null;
  /** Names of the credential fields that are stored already. */
  readonly storedCredentialFields?: readonly string[];
  readonly configuration: IntegrationConfiguration;
}

/** Everything about an integration that its connector will not work with; each problem says what to do. */
export function validateIntegrationInput(connector: Connector, input: IntegrationInput): InputProblem[] {
  const { configuration } = input;
  const problems = [
    ...credentialProblems(connector, input),
    ...connectionProblems(connector, configuration.connection ?? {}),
    ...streamProblems(connector, configuration.streams ?? []),
  ];
  if (configuration.connector !== undefined && connector.platform !== DESCRIBED_PLATFORM)
    problems.push({
      pointer: pointer('configuration', 'connector'),
      detail: `is taken by the platform "${DESCRIBED_PLATFORM}" only; ${connector.title} is described already.`,
    });
  return problems;
}

function credentialProblems(
  connector: Connector,
  { credentials, storedCredentialFields = [], configuration }: IntegrationInput,
): InputProblem[] {
  const names = credentials === null ? storedCredentialFields : Object.keys(credentials);
  const result = inferAuthMode(connector, names, configuration.authMode);
  if ('problems' in result) {
    // Credentials may come later; a mode that does not exist will not.
    const later = credentials === null && storedCredentialFields.length === 0;
    return later ? result.problems.filter((problem) => problem.pointer === '/configuration/authMode') : result.problems;
  }
  return result.mode.fields.flatMap((field) => {
    const value = credentials?.[field.name];
    const problem = value === undefined ? null : credentialValueProblem(field, value);
    return problem === null ? [] : [{ pointer: pointer('credentials', field.name), detail: problem }];
  });
}

function connectionProblems(connector: Connector, connection: Readonly<Record<string, unknown>>): InputProblem[] {
  const known = connector.connection.map((field) => field.name);
  const at = (name: string): string => pointer('configuration', 'connection', name);
  const unknown = Object.keys(connection).filter((name) => !known.includes(name));
  return [
    ...unknown.map((name) => ({
      pointer: at(name),
      detail: `is not a connection field of ${connector.title}.${suggestion(name, known)} It takes ${known.join(', ') || 'none'}.`,
    })),
    ...connector.connection.flatMap((field) => {
      const value = connection[field.name];
      if (value !== undefined) {
        const problem = connectionValueProblem(field, value);
        return problem === null ? [] : [{ pointer: at(field.name), detail: problem }];
      }
      if (!field.required || field.default !== undefined) return [];
      const example = field.example === undefined ? '' : `, such as ${JSON.stringify(field.example)}`;
      return [{ pointer: at(field.name), detail: `is required: ${field.title}${example}.` }];
    }),
  ];
}

function streamProblems(connector: Connector, streams: readonly string[]): InputProblem[] {
  const known = connector.streams.map((stream) => stream.name);
  return streams.flatMap((name, index) => {
    if (known.includes(name)) return [];
    const list = known.length === 0 ? 'It has none.' : `It has ${known.join(', ')}.`;
    const detail = `There is no stream ${JSON.stringify(name)} in ${connector.title}.${suggestion(name, known)} ${list}`;
    return [{ pointer: pointer('configuration', 'streams', index), detail }];
  });
}
