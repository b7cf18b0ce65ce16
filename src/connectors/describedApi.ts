import { invalidInput } from '../core/input.ts';
import type { JsonObject } from '../core/json.ts';
import { unusedConnectionFields } from './checks/usage.ts';
import type { Connector } from './format.ts';
import { pointer } from './pointer.ts';
import { validateConnector } from './validate.ts';

/** The platform whose description comes with the integration. */
export const DESCRIBED_PLATFORM = 'http';

/** Keys of a connector that say what the platform is; an integration does not set them. */
const IDENTITY_KEYS = ['platform', 'category'];

/**
 * The general connector with what an integration describes in the place of its parts, key by key.
 * @throws InvalidInputError that lists everything wrong with the description
 */
export function describeApi(connector: Connector, description: JsonObject): Connector {
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
  throw invalidInput('The description of the API', problems);
}
