import type { ConnectorSession } from './types.ts';

/** The credentials' values that nobody may see; a user name is not one of them. */
export function secretsOf({ connector, credentials }: ConnectorSession): string[] {
  const open = new Set(
    connector.auth.flatMap(({ fields }) => fields.filter((field) => !field.secret).map((field) => field.name)),
  );
  return Object.entries(credentials).flatMap(([name, value]) => (open.has(name) ? [] : [value]));
}
