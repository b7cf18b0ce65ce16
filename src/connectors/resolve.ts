import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type InputProblem, InvalidInputError } from '../core/errors.ts';
import { suggestion } from '../core/input.ts';
import type { JsonObject } from '../core/json.ts';
import type { IntegrationConfiguration } from '../integrations/types.ts';
import { unusedConnectionFields } from './checks/usage.ts';
import { connectionValueProblem, credentialValueProblem } from './fieldValues.ts';
import type { AuthMode } from './format/auth.ts';
import type { Connector } from './format.ts';
import { validateConnector } from './validate.ts';

/** The platform whose description comes with the integration. */
export const DESCRIBED_PLATFORM = 'http';

/** Keys of a connector that say what the platform is; an integration does not set them. */
const IDENTITY_KEYS = ['platform', 'category'];

const described = new LRUCache<string, Connector>({ max: 500 });

/**
 * The connector as this integration uses it. For `http` the integration's own `configuration.connector` takes the
 * place of the general description, key by key; every other platform is as it is.
 * @throws InvalidInputError that lists everything wrong with `configuration.connector`
 */
export function connectorFor(connector: Connector, configuration: IntegrationConfiguration): Connector {
  const description = configuration.connector;
  if (connector.platform !== DESCRIBED_PLATFORM || description === undefined) return connector;
  const key = createHash('sha256')
    .update(JSON.stringify([connector, description]))
    .digest('base64');
  let result = described.get(key);
  if (result === undefined) {
    result = mergeDescription(connector, description);
    described.set(key, result);
  }
  return result;
}

function mergeDescription(connector: Connector, description: JsonObject): Connector {
  const identity = IDENTITY_KEYS.filter((key) => key in description);
  const merged = { ...connector, ...description };
  if (description.connection === undefined || Array.isArray(description.connection)) {
    const own = (description.connection ?? []) as unknown as Connector['connection'];
    const inherited = connector.connection.filter((field) => !own.some((one) => one?.name === field.name));
    const unused = unusedConnectionFields({ ...merged, connection: inherited });
    Object.assign(merged, { connection: [...own, ...inherited.filter((field) => !unused.includes(field))] });
  }
  // An API that nobody has described before: whether its check proves anything is found out.
  const { check } = description;
  if (check !== null && typeof check === 'object' && !Array.isArray(check))
    Object.assign(merged, { check: { publicProbe: true, ...check } });
  const result = validateConnector(merged);
  const problems = [
    ...identity.map((key) => ({ path: [key], message: 'is not taken here: the platform is "http".' })),
    ...('problems' in result ? result.problems : []),
  ].map(({ path, message }) => ({ pointer: pointer('configuration', 'connector', ...path), detail: message }));
  if ('connector' in result && problems.length === 0) return result.connector;
  const lines = problems.map((problem) => `${problem.pointer.slice(1).replaceAll('/', '.')}: ${problem.detail}`);
  throw new InvalidInputError(`The description of the API is not valid. ${lines.join(' ')}`, problems);
}

/** The connection fields' defaults. */
export function connectionDefaults(connector: Connector): Record<string, string | number | boolean> {
  return Object.fromEntries(
    connector.connection.flatMap((field) =>
      field.default === undefined ? [] : [[field.name, field.default] as const],
    ),
  );
}

/** Whether it works without any credentials stored. */
export function needsCredentials(connector: Connector, authMode?: string): boolean {
  return !('mode' in inferAuthMode(connector, [], authMode));
}

/**
 * The auth mode that credentials with these fields are for: the one named, else the one whose fields they are. When
 * they fit several, the one that uses the most of them, then the first of the connector.
 */
export function inferAuthMode(
  connector: Connector,
  fieldNames: readonly string[],
  authMode?: string,
): { mode: AuthMode } | { problems: InputProblem[] } {
  if (authMode !== undefined) {
    const names = connector.auth.map((mode) => mode.name);
    const named = connector.auth.find((mode) => mode.name === authMode);
    if (named === undefined) {
      const detail = `There is no auth mode ${JSON.stringify(authMode)} for ${connector.title}.${suggestion(authMode, names)} Known: ${names.join(', ')}.`;
      return { problems: [{ pointer: pointer('configuration', 'authMode'), detail }] };
    }
    const problems = fieldProblems(connector, named, fieldNames);
    return problems.length > 0 ? { problems } : { mode: named };
  }
  const shared = (mode: AuthMode): number => mode.fields.filter((field) => fieldNames.includes(field.name)).length;
  const byShared = [...connector.auth].sort((a, b) => shared(b) - shared(a));
  const fitting = byShared.find((mode) => fieldProblems(connector, mode, fieldNames).length === 0);
  if (fitting !== undefined) return { mode: fitting };
  return { problems: fieldProblems(connector, byShared[0]!, fieldNames) };
}

function fieldProblems(connector: Connector, mode: AuthMode, names: readonly string[]): InputProblem[] {
  const known = mode.fields.map((field) => field.name);
  const everyMode = connector.auth.flatMap((one) => one.fields.map((field) => field.name));
  const unknown = names.filter((name) => !known.includes(name));
  const missing = mode.fields.filter((field) => field.required && !names.includes(field.name));
  const others = connector.auth.filter((one) => one !== mode && one.fields.length > 0);
  const instead = others.map((one) => one.fields.map((field) => field.name).join(' and ')).join(', or ');
  return [
    ...unknown.map((name) => ({
      pointer: pointer('credentials', name),
      detail: everyMode.includes(name)
        ? `does not belong to the auth mode ${JSON.stringify(mode.name)}, which takes ${known.join(', ') || 'no credentials'}.`
        : `is not a credential of ${connector.title}.${suggestion(name, everyMode)} It takes ${known.join(', ') || 'none'}.`,
    })),
    ...missing.map((field) => ({
      pointer: pointer('credentials', field.name),
      detail: `is required: ${field.title}.${field.help === undefined ? '' : ` ${field.help}`}${instead === '' ? '' : ` Or give ${instead} instead.`}`,
    })),
  ];
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

/** RFC 6901. */
function pointer(...path: (string | number)[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
