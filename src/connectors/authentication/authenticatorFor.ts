import type { Authenticator, OutgoingRequest } from '../../outgoing/types.ts';
import { originsOf, sessionScope } from '../address.ts';
import { inferAuthMode } from '../authMode.ts';
import { InvalidRequestError, MissingCredentialsError } from '../errors.ts';
import type { AuthMode } from '../format/auth.ts';
import { literalHeaders, renderHeaders } from '../headers.ts';
import { render, type TemplateScope } from '../template.ts';
import type { ConnectorSession } from '../types.ts';
import { basicPair } from './basicPair.ts';
import { clientCredentialsTokens } from './clientCredentials.ts';
import { sessionTokens } from './sessionLogin.ts';
import type { TokenSource } from './tokenSource.ts';

/**
 * Puts the session's credentials into requests, and only into those that go to the API's own origins.
 * @throws MissingCredentialsError when the credentials fit none of the connector's auth modes
 */
export function authenticatorFor(session: ConnectorSession): Authenticator {
  const mode = authModeOf(session);
  const origins = originsOf(session);
  const scope = { ...sessionScope(session), credentials: { ...session.credentials } };
  const tokens = tokenSourceFor(session, mode);
  if (tokens !== undefined && 'headers' in mode) {
    const headersOf = (token: string) => sendable(session, () => renderHeaders(mode.headers, { ...scope, token }));
    return withTokens(origins, tokens, headersOf);
  }
  return {
    origins,
    apply: async (request) => {
      sendable(session, () => applyStatic(request, mode, scope));
    },
  };
}

/** @throws MissingCredentialsError */
export function authModeOf(session: ConnectorSession): AuthMode {
  const result = inferAuthMode(session.connector, Object.keys(session.credentials), session.authMode);
  if ('mode' in result) return result.mode;
  throw new MissingCredentialsError(
    `The credentials of this integration do not fit ${session.connector.title}. ${result.problems.map(({ pointer, detail }) => `${pointer.split('/').at(-1)}: ${detail}`).join(' ')}`,
    { details: { problems: result.problems } },
  );
}

/** Where tokens come from, for the modes whose credentials are exchanged for one. */
export function tokenSourceFor(session: ConnectorSession, mode: AuthMode): TokenSource | undefined {
  if (mode.type === 'oauth2_client_credentials') return clientCredentialsTokens(session, mode);
  return mode.type === 'session' ? sessionTokens(session, mode) : undefined;
}

/** @throws InvalidRequestError when a credential cannot be sent as it is; the credential is not in the message */
function sendable<T>({ connector }: ConnectorSession, put: () => T): T {
  try {
    return put();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new InvalidRequestError(`The credential of ${connector.title} cannot be sent: ${error.message}`);
  }
}

function withTokens(
  origins: readonly string[],
  tokens: TokenSource,
  headersOf: (token: string) => Readonly<Record<string, string>>,
): Authenticator {
  let used: string | undefined;
  return {
    origins,
    apply: async (request, signal) => {
      const { token } = await tokens.get(signal);
      used = token;
      Object.assign(request.headers, headersOf(token));
    },
    refresh: async () => used !== undefined && tokens.refused(used),
  };
}

function applyStatic(request: OutgoingRequest, mode: AuthMode, scope: TemplateScope): void {
  switch (mode.type) {
    case 'api_key': {
      const name = render(mode.key, scope);
      const value = render(mode.value, scope);
      if (name === undefined || value === undefined) return;
      if (mode.in === 'query') request.url.searchParams.set(String(name), String(value));
      else Object.assign(request.headers, literalHeaders({ [String(name)]: String(value) }));
      return;
    }
    case 'basic': {
      const pair = Buffer.from(basicPair(mode, scope), 'utf8').toString('base64');
      request.headers.authorization = `Basic ${pair}`;
      return;
    }
    case 'bearer': {
      const token = render(mode.token, scope);
      if (token !== undefined) Object.assign(request.headers, literalHeaders({ authorization: `Bearer ${token}` }));
      return;
    }
    case 'headers':
      Object.assign(request.headers, renderHeaders(mode.headers, scope));
  }
}
