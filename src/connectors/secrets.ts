import { sessionScope } from './address.ts';
import { basicPair } from './authentication/basicPair.ts';
import { issuedTokens } from './authentication/tokenSource.ts';
import type { ConnectorSession } from './types.ts';

/** Everything of a session that nobody may see: its credentials (a user name is none) and the tokens issued for them. */
export function secretsOf(session: ConnectorSession): string[] {
  const { connector, credentials } = session;
  const open = new Set(
    connector.auth.flatMap(({ fields }) => fields.filter((field) => !field.secret).map((field) => field.name)),
  );
  const scope = { ...sessionScope(session), credentials: { ...credentials } };
  return [
    ...Object.entries(credentials).flatMap(([name, value]) => (open.has(name) ? [] : [value])),
    ...connector.auth.flatMap((mode) => (mode.type === 'basic' ? [basicPair(mode, scope)] : [])),
    ...issuedTokens(session.integrationId),
  ];
}
