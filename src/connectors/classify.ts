import type { Clock } from '../core/clock.ts';
import type { JsonValue } from '../core/json.ts';
import { hideSecrets } from '../outgoing/hideSecrets.ts';
import type { ObservedRateLimit, Outcome, OutgoingResponse, ResponseClassifier } from '../outgoing/types.ts';
import { compileConditions } from './condition.ts';
import type { ErrorRule } from './format/errors.ts';
import { durationMs } from './format/parts.ts';
import type { Connector } from './format.ts';
import { type JsonPath, parsePath, valueAt } from './jsonPath.ts';
import { matches } from './pattern.ts';
import { readRateLimit, readRetryAfter } from './rateLimitHeaders.ts';
import { readJson } from './readJson.ts';

const PROVIDER_TEXT_CHARS = 300;

interface Options {
  readonly clock?: Pick<Clock, 'now'>;
  /** Values that must not appear in what the provider said. */
  readonly secrets?: readonly string[];
}

interface Seen {
  readonly response: OutgoingResponse;
  readonly body: () => JsonValue | undefined;
  readonly code: () => string | undefined;
  readonly message: () => string | undefined;
}

interface CompiledRule extends ErrorRule {
  readonly holds: (seen: Seen) => boolean;
}

interface CompiledErrors {
  readonly codePaths: readonly JsonPath[];
  readonly messagePaths: readonly JsonPath[];
  readonly rules: readonly CompiledRule[];
}

const compiled = new WeakMap<Connector['errors'], CompiledErrors>();

/** Judges answers as the connector says: its rules in order, then the status. */
export function classifierFor(connector: Connector, { clock = Date, secrets = [] }: Options = {}): ResponseClassifier {
  const errors = compiledErrors(connector);
  return (response) => {
    const seen = look(response, errors, secrets);
    const rule = errors.rules.find(({ holds }) => holds(seen));
    const outcome = rule?.outcome ?? outcomeOfStatus(response.status);
    if (outcome === 'success') return { outcome, retryable: false };
    return {
      outcome,
      retryable: rule?.retryable ?? isRetryable(outcome, response.status, rule !== undefined),
      providerCode: seen.code(),
      providerMessage: seen.message(),
      retryAfterMs: waitOf(connector, response, outcome, rule, clock.now()),
    };
  };
}

/** Reads what an answer tells of the provider's own budget. */
export function observeRateLimitFor(
  connector: Connector,
  { clock = Date }: Options = {},
): (response: OutgoingResponse) => ObservedRateLimit | undefined {
  return (response) => readRateLimit(connector, response.headers, clock.now());
}

function compiledErrors({ errors }: Connector): CompiledErrors {
  let result = compiled.get(errors);
  if (result === undefined) {
    result = {
      codePaths: [errors.codePath ?? []].flat().map(parsePath),
      messagePaths: [errors.messagePath ?? []].flat().map(parsePath),
      rules: errors.rules.map((rule) => ({ ...rule, holds: compileRule(rule) })),
    };
    compiled.set(errors, result);
  }
  return result;
}

function compileRule({ when }: ErrorRule): (seen: Seen) => boolean {
  const tests: ((seen: Seen) => boolean)[] = [];
  const { status, code, header, body, message } = when;
  // The status comes first: the body of a plain success is then not parsed for rules that cannot hold.
  if (status !== undefined) {
    const taken = [status].flat();
    tests.push(({ response }) =>
      taken.some((one) => one === response.status || one === `${Math.floor(response.status / 100)}xx`),
    );
  }
  if (header !== undefined) tests.push(({ response }) => headerHolds(header, response.headers));
  if (code !== undefined) {
    const codes = code.map(String);
    tests.push((seen) => codes.includes(seen.code() ?? ''));
  }
  if (body !== undefined) {
    const holds = compileConditions([body].flat());
    tests.push((seen) => {
      const value = seen.body();
      return value !== undefined && holds(value);
    });
  }
  if (message !== undefined) {
    tests.push((seen) => matches(message, seen.message() ?? '', { ignoreCase: true }));
  }
  return (seen) => tests.every((test) => test(seen));
}

function headerHolds(
  condition: NonNullable<ErrorRule['when']['header']>,
  headers: OutgoingResponse['headers'],
): boolean {
  const value = headers[condition.name.toLowerCase()];
  if (condition.exists !== undefined && (value !== undefined) !== condition.exists) return false;
  if (condition.equals !== undefined && value !== condition.equals) return false;
  return (
    condition.matches === undefined || (value !== undefined && matches(condition.matches, value, { ignoreCase: true }))
  );
}

function look(response: OutgoingResponse, errors: CompiledErrors, secrets: readonly string[]): Seen {
  const body = (): JsonValue | undefined => readJson(response);
  const text = (paths: readonly JsonPath[]): string | undefined => {
    if (paths.length === 0) return undefined;
    const value = body();
    const found = paths
      .map((path) => valueAt(value, path))
      .find((one) => typeof one === 'string' || typeof one === 'number');
    return found === undefined ? undefined : cleanText(String(found), secrets);
  };
  return { response, body, code: () => text(errors.codePaths), message: () => text(errors.messagePaths) };
}

/** Short, on one line, and without the credentials that some providers repeat in their messages. */
export function cleanText(text: string, secrets: readonly string[]): string {
  return hideSecrets(text, secrets)
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, PROVIDER_TEXT_CHARS);
}

function outcomeOfStatus(status: number): Outcome {
  if (status >= 200 && status < 300) return 'success';
  if (status === 401) return 'wrong_credentials';
  if (status === 403) return 'missing_scope';
  if (status === 404 || status === 410) return 'not_found';
  if (status === 429) return 'rate_limited';
  if (status === 408 || status === 425 || status >= 500) return 'provider_error';
  // What is left of 3xx are redirects that the pipeline did not follow.
  return status >= 400 ? 'invalid_request' : 'bad_response';
}

/** 501 and 505 will not change by asking again; a rule that names an error means a passing one by provider_error. */
function isRetryable(outcome: Outcome, status: number, byRule: boolean): boolean {
  if (outcome === 'rate_limited') return true;
  if (outcome !== 'provider_error') return false;
  return byRule || (status !== 501 && status !== 505);
}

/** Retry-After wins; then, for a limit that is used up, its reset; then the rule's own wait. */
function waitOf(
  connector: Connector,
  response: OutgoingResponse,
  outcome: Outcome,
  rule: CompiledRule | undefined,
  nowMs: number,
): number | undefined {
  const asked = readRetryAfter(response.headers, nowMs);
  if (asked !== undefined) return asked;
  if (outcome === 'rate_limited') {
    const budget = readRateLimit(connector, response.headers, nowMs);
    if (budget !== undefined && budget.remaining === 0) return Math.max(0, budget.resetAtMs - nowMs);
  }
  return rule?.wait === undefined ? undefined : durationMs(rule.wait);
}
