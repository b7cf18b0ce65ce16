import type { JsonValue } from '../../core/json.ts';
import { baseUrl, sessionScope } from '../address.ts';
import { TokenRequestError } from '../errors.ts';
import type { SessionMode } from '../format/auth.ts';
import { parsePath, valueAt } from '../jsonPath.ts';
import { describeBody, readJson } from '../readJson.ts';
import { buildRequest, sendRequest } from '../request.ts';
import type { ConnectorSession } from '../types.ts';
import type { IssuedToken } from './tokenCache.ts';
import { cachedTokens, type TokenSource } from './tokenSource.ts';

/** Tokens that a login request of the API itself issues. */
export function sessionTokens(session: ConnectorSession, mode: SessionMode): TokenSource {
  return cachedTokens(session, [mode.type, mode.name, baseUrl(session), mode.login.path], (signal) =>
    logIn(session, mode, signal),
  );
}

/** Ends the session at the provider. */
export async function logOut(
  session: ConnectorSession,
  logout: NonNullable<SessionMode['logout']>,
  { token, refreshToken }: IssuedToken,
  signal: AbortSignal,
): Promise<void> {
  const scope = { ...sessionScope(session), credentials: { ...session.credentials }, token, refreshToken };
  await sendRequest(session, buildRequest(session, logout, scope), { operation: 'revoke', signal });
}

async function logIn(session: ConnectorSession, { login }: SessionMode, signal: AbortSignal): Promise<IssuedToken> {
  const scope = { ...sessionScope(session), credentials: { ...session.credentials } };
  const response = await sendRequest(session, buildRequest(session, login, scope), { operation: 'token', signal });
  const answer = readJson(response);
  const read = (path: string | undefined): JsonValue | undefined =>
    path === undefined ? undefined : valueAt(answer, parsePath(path));
  const token = read(login.tokenPath);
  if (typeof token !== 'string' || token === '')
    throw new TokenRequestError(
      `${session.connector.title} answered the login (${login.path}) without a token at ${JSON.stringify(login.tokenPath)}: got ${describeBody(response)}.`,
    );
  const refreshToken = read(login.refreshTokenPath);
  return {
    token,
    refreshToken: typeof refreshToken === 'string' ? refreshToken : undefined,
    expiresAtMs: expiryOf(token, read(login.expiresInPath), session.clock.now()),
  };
}

function expiryOf(token: string, expiresInSeconds: JsonValue | undefined, nowMs: number): number | undefined {
  const seconds = Number(expiresInSeconds);
  if (expiresInSeconds !== undefined && Number.isFinite(seconds)) return nowMs + seconds * 1000;
  return jwtExpiryMs(token);
}

/** `exp` of a JWT (RFC 7519 §4.1.4). It is only a hint here, so the signature does not matter. */
function jwtExpiryMs(token: string): number | undefined {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  try {
    const claims = JSON.parse(Buffer.from(parts[1]!, 'base64url').toString('utf8')) as { exp?: unknown };
    return typeof claims.exp === 'number' ? claims.exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}
