import type { JsonValue } from '../core/json.ts';
import type {
  Authenticator,
  OperationKind,
  OutgoingCall,
  OutgoingResponse,
  ResponseClassifier,
} from '../outgoing/types.ts';
import { baseUrl } from './address.ts';
import { classifierFor, observeRateLimitFor } from './classify.ts';
import { InvalidRequestError } from './errors.ts';
import { durationMs } from './format/parts.ts';
import type { Connector } from './format.ts';
import { literalHeaders, renderHeaders } from './headers.ts';
import { secretsOf } from './secrets.ts';
import { render, renderJson, type TemplateScope } from './template.ts';
import type { ConnectorSession } from './types.ts';

/** A request as a connector describes it. */
export interface RequestDescription {
  readonly method: string;
  readonly path: string;
  readonly params?: Readonly<Record<string, JsonValue>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: JsonValue;
  readonly bodyFormat?: 'json' | 'form';
}

/** A request ready to be sent. */
export interface BuiltRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Parameters that pagination adds to a request. */
export interface Additions {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, JsonValue>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Takes the place of the path and its parameters. */
  readonly url?: URL;
}

/** How calls of one kind are sent. */
export interface SendOptions {
  readonly operation: OperationKind;
  readonly signal: AbortSignal;
  readonly authenticator?: Authenticator;
  readonly retry?: OutgoingCall['retry'];
  readonly maxWaitMs?: number;
  /** The request has a condition, to which 304 is a good answer. */
  readonly takesNotModified?: boolean;
}

const DEFAULT_HEADERS = { accept: 'application/json', 'user-agent': 'integration-services' };

/**
 * Fills a described request in.
 * @throws InvalidRequestError when a value that the path needs is missing, or a value cannot be sent
 */
export function buildRequest(
  session: ConnectorSession,
  description: RequestDescription,
  scope: TemplateScope,
  additions: Additions = {},
): BuiltRequest {
  try {
    const url = additions.url ?? urlOf(session, description, scope);
    for (const [name, value] of Object.entries(additions.query ?? {})) url.searchParams.set(name, value);
    const { body, contentType } = bodyOf(description, scope, additions.body);
    const headers: Record<string, string> = { ...DEFAULT_HEADERS, ...contentType };
    for (const described of [session.connector.headers, description.headers ?? {}])
      Object.assign(headers, renderHeaders(described, scope));
    // What the provider has given is no template.
    Object.assign(headers, literalHeaders(additions.headers ?? {}));
    return { method: description.method, url, headers, body };
  } catch (error) {
    // What a record brings may be nested too deeply to be written.
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    throw new InvalidRequestError(
      `A request of ${session.connector.title} (${description.method} ${description.path}) cannot be made: ${error.message}`,
      { cause: error },
    );
  }
}

/** Sends it through the pipeline. Reading is safe to repeat, also by POST. */
export function sendRequest(
  session: ConnectorSession,
  request: BuiltRequest,
  options: SendOptions,
): Promise<OutgoingResponse> {
  const { connector, clock } = session;
  const secrets = secretsOf(session);
  const classify = classifierFor(connector, { clock, secrets });
  return session.send({
    integrationId: session.integrationId,
    operationId: session.operationId,
    operation: options.operation,
    ...request,
    authenticator: options.authenticator,
    secrets,
    classify: options.takesNotModified === true ? acceptNotModified(classify) : classify,
    observeRateLimit: observeRateLimitFor(connector, { clock }),
    budgets: session.budgets ?? connectorBudgets(connector),
    maxWaitMs: options.maxWaitMs,
    retry: { ...retryOf(session), ...options.retry },
    idempotent: true,
    signal: options.signal,
  });
}

function acceptNotModified(classify: ResponseClassifier): ResponseClassifier {
  return (response) => (response.status === 304 ? { outcome: 'success', retryable: false } : classify(response));
}

/** The budgets of one credential that the connector describes; undefined: none. */
export function connectorBudgets({ rateLimit }: Connector): { maxRequests: number; windowMs: number }[] | undefined {
  if (rateLimit.budgets.length === 0) return undefined;
  return rateLimit.budgets.map(({ maxRequests, window }) => ({ maxRequests, windowMs: durationMs(window) }));
}

function retryOf({ connector: { retry } }: ConnectorSession): OutgoingCall['retry'] {
  const ms = (text: string | undefined): number | undefined => (text === undefined ? undefined : durationMs(text));
  const policy = {
    maxAttempts: retry.maxAttempts,
    baseDelayMs: ms(retry.baseDelay),
    maxDelayMs: ms(retry.maxDelay),
    maxRetryAfterMs: ms(retry.maxRetryAfter),
  };
  return Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== undefined));
}

function urlOf(session: ConnectorSession, { path, params = {} }: RequestDescription, scope: TemplateScope): URL {
  const rendered = render(path, scope, encodeURIComponent);
  if (rendered === undefined) throw new TypeError(missingValue(path, scope));
  const text = String(rendered);
  // A value such as ".." from the provider must not lead to another endpoint.
  if (text.split('/').some((segment) => /^(\.|%2e){1,2}$/i.test(segment)))
    throw new TypeError(`its path ${JSON.stringify(path)} would leave its place.`);
  const url = new URL(`${baseUrl(session)}${text.startsWith('/') ? '' : '/'}${text}`);
  for (const [name, value] of Object.entries(params)) {
    const filled = renderJson(value, scope);
    for (const one of Array.isArray(filled) ? filled : [filled])
      if (one !== undefined) url.searchParams.append(name, paramText(one, name));
  }
  return url;
}

function missingValue(path: string, { config }: TemplateScope): string {
  const given = Object.keys(config ?? {});
  const fields = [...path.matchAll(/\bconfig\.([\w-]+)/g)]
    .map(([, name]) => name!)
    .filter((name) => !given.includes(name));
  const remedy =
    fields.length === 0 ? '' : ` Set ${fields.map((name) => `configuration.connection.${name}`).join(' and ')}.`;
  return `a value in its path ${JSON.stringify(path)} is missing.${remedy}`;
}

function paramText(value: JsonValue, name: string): string {
  if (value === null || typeof value === 'object')
    throw new TypeError(`the parameter ${JSON.stringify(name)} is not a text, a number or true/false.`);
  return String(value);
}

function bodyOf(
  { body, bodyFormat = 'json' }: RequestDescription,
  scope: TemplateScope,
  added: Readonly<Record<string, JsonValue>> = {},
): { body?: string; contentType?: Record<string, string> } {
  if (body === undefined && Object.keys(added).length === 0) return {};
  const filled = renderJson(body ?? {}, scope) ?? {};
  const whole =
    filled !== null && typeof filled === 'object' && !Array.isArray(filled) ? { ...filled, ...added } : filled;
  if (bodyFormat === 'json')
    return { body: JSON.stringify(whole), contentType: { 'content-type': 'application/json' } };
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(whole ?? {})) form.set(name, paramText(value, name));
  return { body: form.toString(), contentType: { 'content-type': 'application/x-www-form-urlencoded' } };
}
