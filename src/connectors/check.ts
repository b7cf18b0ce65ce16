import { InvalidInputError } from '../core/errors.ts';
import type { JsonValue } from '../core/json.ts';
import { OutgoingCallError } from '../outgoing/errors.ts';
import type { OutgoingResponse } from '../outgoing/types.ts';
import { sessionScope } from './address.ts';
import { authenticatorFor, authModeOf } from './authentication/authenticatorFor.ts';
import { cleanText } from './classify.ts';
import { compileConditions } from './condition.ts';
import { InvalidRequestError, TokenRequestError } from './errors.ts';
import type { Check, Connector } from './format.ts';
import { parsePath, valueAt } from './jsonPath.ts';
import { readJson } from './readJson.ts';
import { type BuiltRequest, buildRequest, type SendOptions, sendRequest } from './request.ts';
import { secretsOf } from './secrets.ts';
import type { CheckResult, ConnectorSession } from './types.ts';

/** A person waits for the answer: two attempts, and no long waits for a budget or a Retry-After. */
const PATIENCE = { retry: { maxAttempts: 2, maxRetryAfterMs: 3000 }, maxWaitMs: 5000 } as const;

/**
 * Proves the session's credentials with the connector's check, and tells apart the ways in which that fails.
 * @param streams whose scopes the credentials need; default: those that are synced by default
 * @throws MissingCredentialsError when the credentials fit none of the connector's auth modes
 */
export async function checkConnection(
  session: ConnectorSession,
  signal: AbortSignal,
  streams?: readonly string[],
): Promise<CheckResult> {
  const { connector } = session;
  const { check } = connector;
  const options: SendOptions = { ...PATIENCE, operation: 'check', signal };
  try {
    const authenticator = authenticatorFor(session);
    const request = buildRequest(session, check, sessionScope(session));
    const response = await sendRequest(session, request, { ...options, authenticator });
    const seen = { httpStatus: response.status, url: withoutQuery(response.url), attempts: response.attempts };
    if (!holds(check, response)) return { ...seen, outcome: 'bad_response' };
    const missingScopes = missingScopesOf(connector, response, streams);
    if (missingScopes.length > 0) return { ...seen, outcome: 'missing_scope', missingScopes };
    if (await isPublic(session, request, options)) return { ...seen, outcome: 'public_endpoint' };
    return { ...seen, outcome: 'success', account: accountOf(check, readJson(response), session) };
  } catch (error) {
    return failureOf(error);
  }
}

function failureOf(error: unknown): CheckResult {
  if (error instanceof OutgoingCallError) {
    const { outcome, status, url, providerCode, providerMessage, retryAfterMs, attempts } = error;
    return { outcome, httpStatus: status, url, providerCode, providerMessage, retryAfterMs, attempts };
  }
  if (error instanceof TokenRequestError || error instanceof InvalidRequestError)
    return { outcome: error.outcome, providerMessage: error.message };
  if (error instanceof InvalidInputError) return { outcome: 'invalid_request', providerMessage: error.message };
  throw error;
}

/** What the check expects of the body. Without expectations any JSON is one, and a web page is not. */
function holds({ method, expect }: Check, response: OutgoingResponse): boolean {
  if (method === 'HEAD' || response.status === 204) return true;
  const body = readJson(response);
  return body !== undefined && compileConditions(expect)(body);
}

/**
 * Whether the same request without credentials is answered just as well. Any other outcome, also a failure of this
 * second call, leaves the first answer as it was.
 */
async function isPublic(session: ConnectorSession, request: BuiltRequest, options: SendOptions): Promise<boolean> {
  const { check } = session.connector;
  if (!check.publicProbe || authModeOf(session).type === 'none') return false;
  try {
    return holds(check, await sendRequest(session, request, { ...options, retry: { maxAttempts: 1 } }));
  } catch (error) {
    if (error instanceof OutgoingCallError) return false;
    throw error;
  }
}

/** An answer without the header says nothing: some kinds of token have no scopes. */
function missingScopesOf(
  { check, scopes, streams }: Connector,
  response: OutgoingResponse,
  names: readonly string[] | undefined,
): string[] {
  const header = check.scopesHeader === undefined ? undefined : response.headers[check.scopesHeader.toLowerCase()];
  if (header === undefined) return [];
  const direct = header.split(check.scopesSeparator).map((scope) => scope.trim());
  const granted = new Set([
    ...direct,
    ...scopes.filter((scope) => direct.includes(scope.name)).flatMap((scope) => scope.includes),
  ]);
  const wanted = streams.filter((stream) => names?.includes(stream.name) ?? stream.default);
  return [...new Set(wanted.flatMap((stream) => stream.scopes))].filter((scope) => !granted.has(scope));
}

function accountOf({ accountPath }: Check, body: JsonValue | undefined, session: ConnectorSession): string | undefined {
  const found = [accountPath ?? []]
    .flat()
    .map((path) => valueAt(body, parsePath(path)))
    .find((value) => (typeof value === 'string' && value !== '') || typeof value === 'number');
  return found === undefined ? undefined : cleanText(String(found), secretsOf(session));
}

function withoutQuery(address: string): string {
  const url = new URL(address);
  return `${url.origin}${url.pathname}`;
}
