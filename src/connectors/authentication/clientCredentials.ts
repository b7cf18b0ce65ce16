import * as oauth from 'oauth4webapi';
import type { OutgoingCall, OutgoingResponse } from '../../outgoing/types.ts';
import { addressOf, sessionScope } from '../address.ts';
import { classifierFor } from '../classify.ts';
import { TokenRequestError } from '../errors.ts';
import type { ClientCredentialsMode } from '../format/auth.ts';
import type { Connector } from '../format.ts';
import { readJson } from '../readJson.ts';
import { secretsOf } from '../secrets.ts';
import { render } from '../template.ts';
import type { ConnectorSession } from '../types.ts';
import type { IssuedToken } from './tokenCache.ts';
import { cachedTokens, type TokenSource } from './tokenSource.ts';

/** RFC 6749 §5.2, and what providers answer beside it. */
const TOKEN_ERRORS: Connector['errors'] = {
  codePath: ['error', 'errors[0].code'],
  messagePath: ['error_description', 'errors[0].message', 'message'],
  rules: [
    { when: { code: ['invalid_scope'] }, outcome: 'missing_scope' },
    {
      when: { code: ['invalid_client', 'unauthorized_client', 'invalid_grant', 'access_denied'] },
      outcome: 'wrong_credentials',
    },
    { when: { code: ['temporarily_unavailable', 'server_error'] }, outcome: 'provider_error' },
    { when: { status: [401, 403] }, outcome: 'wrong_credentials' },
  ],
};

/** Tokens by the client credentials grant (RFC 6749 §4.4). */
export function clientCredentialsTokens(session: ConnectorSession, mode: ClientCredentialsMode): TokenSource {
  const tokenUrl = addressOf(session, mode.tokenUrl);
  return cachedTokens(session, [mode.type, tokenUrl, mode.scopes, mode.params], (signal) =>
    requestToken(session, mode, tokenUrl, signal),
  );
}

/** RFC 7009. */
export async function revokeToken(
  session: ConnectorSession,
  mode: ClientCredentialsMode & { revokeUrl: string },
  token: string,
  signal: AbortSignal,
): Promise<void> {
  const { client, authentication } = clientOf(session, mode);
  const server = { issuer: addressOf(session, mode.tokenUrl), revocation_endpoint: addressOf(session, mode.revokeUrl) };
  const response = await oauth.revocationRequest(
    server,
    client,
    authentication,
    token,
    throughPipeline(session, server.revocation_endpoint, 'revoke', signal),
  );
  await oauth.processRevocationResponse(response);
}

async function requestToken(
  session: ConnectorSession,
  mode: ClientCredentialsMode,
  tokenUrl: string,
  signal: AbortSignal,
): Promise<IssuedToken> {
  const { client, authentication, scope } = clientOf(session, mode);
  const server: oauth.AuthorizationServer = { issuer: tokenUrl, token_endpoint: tokenUrl };
  const params = new URLSearchParams();
  for (const [name, template] of Object.entries(mode.params)) {
    const value = render(template, scope);
    if (value !== undefined) params.set(name, String(value));
  }
  if (mode.scopes.length > 0) params.set('scope', mode.scopes.join(' '));
  const options = throughPipeline(session, tokenUrl, 'token', signal);
  const response = await oauth.clientCredentialsGrantRequest(server, client, authentication, params, options);
  try {
    const issued = await oauth.processClientCredentialsResponse(server, client, response);
    const lifeMs = issued.expires_in === undefined ? undefined : issued.expires_in * 1000;
    return {
      token: issued.access_token,
      expiresAtMs: lifeMs === undefined ? undefined : session.clock.now() + lifeMs,
    };
  } catch (error) {
    // The library's message names the field; its cause holds the answer, which may hold a token.
    const reason = error instanceof Error ? error.message : 'it cannot be read';
    throw new TokenRequestError(`${new URL(tokenUrl).host} answered the request for a token with no token: ${reason}.`);
  }
}

function clientOf(session: ConnectorSession, mode: ClientCredentialsMode) {
  const scope = { ...sessionScope(session), credentials: { ...session.credentials } };
  const secret = String(render(mode.clientSecret, scope) ?? '');
  const authentication =
    mode.clientAuthentication === 'client_secret_post'
      ? oauth.ClientSecretPost(secret)
      : oauth.ClientSecretBasic(secret);
  return { scope, client: { client_id: String(render(mode.clientId, scope) ?? '') }, authentication };
}

/** The library's requests go out like all others: guarded, retried, recorded. */
function throughPipeline(
  session: ConnectorSession,
  address: string,
  operation: OutgoingCall['operation'],
  signal: AbortSignal,
) {
  const { connector, clock } = session;
  const secrets = secretsOf(session);
  const send = async (
    url: string,
    { headers, body }: { headers: Record<string, string>; body?: unknown },
  ): Promise<Response> => {
    const answer = await session.send({
      integrationId: session.integrationId,
      operationId: session.operationId,
      operation,
      method: 'POST',
      url,
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
      body: String(body),
      secrets,
      classify: classifierFor({ ...connector, errors: TOKEN_ERRORS }, { clock, secrets }),
      // A token asked for twice is two tokens, and nothing else.
      idempotent: true,
      signal,
    });
    return new Response(withTokenType(answer), {
      status: answer.status,
      headers: { 'content-type': 'application/json' },
    });
  };
  // Plain http is refused here unless the address was written so, as a server on loopback is.
  return { signal, [oauth.customFetch]: send, [oauth.allowInsecureRequests]: address.startsWith('http:') };
}

/** RFC 6749 §5.1 requires `token_type`; Shopify leaves it out, and it can only be a bearer. */
function withTokenType(answer: OutgoingResponse): string {
  const body = readJson(answer);
  const isToken = body !== null && typeof body === 'object' && !Array.isArray(body) && 'access_token' in body;
  return isToken ? JSON.stringify({ token_type: 'bearer', ...body }) : answer.body.toString('utf8');
}
