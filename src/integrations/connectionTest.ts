import type { CheckResult } from '../connectors/types.ts';
import type { ConnectionStatus, ConnectionTestResult } from './types.ts';

/** What a test found: what the connector's check did, or why it was not made. */
export type ConnectionCheck = Omit<CheckResult, 'outcome'> & {
  readonly outcome: CheckResult['outcome'] | 'missing_credentials' | 'other_origin';
};

interface TestContext {
  readonly platform: string;
  readonly title: string;
  readonly operationId: string;
  readonly latencyMs: number;
  readonly testedAt: string;
}

/** Turns what the connector's check found into the answer a person gets: which way it failed and what to do. */
export function toConnectionTestResult(check: ConnectionCheck, context: TestContext): ConnectionTestResult {
  const status = STATUS_OF[check.outcome];
  const success = status === 'connected';
  return {
    success,
    latencyMs: Math.round(context.latencyMs),
    status,
    ...(success ? {} : { error: explain(status, check, context.title) }),
    details: {
      platform: context.platform,
      operationId: context.operationId,
      ...defined({
        httpStatus: check.httpStatus,
        url: check.url,
        providerCode: check.providerCode,
        providerMessage: check.providerMessage,
        account: check.account,
        missingScopes: check.missingScopes,
        retryAfterSeconds: check.retryAfterMs === undefined ? undefined : Math.ceil(check.retryAfterMs / 1000),
        attempts: check.attempts,
      }),
      testedAt: context.testedAt,
    },
  };
}

const STATUS_OF: Record<ConnectionCheck['outcome'], ConnectionStatus> = {
  success: 'connected',
  wrong_credentials: 'wrong_credentials',
  missing_scope: 'missing_scope',
  rate_limited: 'rate_limited',
  not_found: 'not_found',
  invalid_request: 'invalid_configuration',
  provider_error: 'provider_error',
  bad_response: 'bad_response',
  response_too_large: 'bad_response',
  timeout: 'timeout',
  unreachable: 'unreachable',
  dns_error: 'dns_error',
  tls_error: 'tls_error',
  blocked: 'blocked',
  circuit_open: 'circuit_open',
  aborted: 'timeout',
  public_endpoint: 'public_endpoint',
  missing_credentials: 'missing_credentials',
  other_origin: 'other_origin',
};

function explain(status: ConnectionStatus, check: ConnectionCheck, title: string): string {
  const said = check.providerMessage === undefined ? '' : ` ${title} said: ${quote(check.providerMessage)}`;
  const host = check.url !== undefined && URL.canParse(check.url) ? new URL(check.url).host : title;
  switch (status) {
    case 'wrong_credentials':
      return `${title} did not accept the credentials. Check that they are complete, belong to this account and were not revoked or expired.${said}`;
    case 'missing_scope':
      return check.missingScopes !== undefined && check.missingScopes.length > 0
        ? `The credentials are valid but lack ${check.missingScopes.join(', ')}. Grant it in ${title} and store the new credentials.${said}`
        : `The credentials are valid but may not do this. Grant the missing permission in ${title}.${said}`;
    case 'rate_limited':
      return `${title} limits the rate of calls at the moment${
        check.retryAfterMs === undefined ? '' : `; try again in ${Math.ceil(check.retryAfterMs / 1000)} seconds`
      }. The credentials were not judged.${said}`;
    case 'not_found':
      return `${host} has nothing at the address of the check. Check the connection fields (host, account, version).${said}`;
    case 'provider_error':
      return `${title} has a problem of its own${check.httpStatus === undefined ? '' : ` (HTTP ${check.httpStatus})`}. Try again later.${said}`;
    case 'bad_response':
      return `${host} answered, but not as ${title} does. Check the address: a login page, proxy or another service may be in between.${said}`;
    case 'timeout':
      return `${host} did not answer in time. Check the address and the network between.${said}`;
    case 'unreachable':
      return `${host} cannot be reached: the connection was refused or reset. Check the address, the port and the firewall.${said}`;
    case 'dns_error':
      return `The name of ${host} cannot be resolved. Check its spelling and the DNS of this machine.${said}`;
    case 'tls_error':
      return `The TLS connection to ${host} failed; its certificate may be expired, self-signed or for another name.${said}`;
    case 'blocked':
      return `${host} is a private or reserved address, which outgoing calls may not reach. If it is yours and meant, add it to ALLOWED_PRIVATE_HOSTS.${said}`;
    case 'circuit_open':
      return `Calls to ${title} are paused because too many failed in a row; the next one is let through shortly.${said}`;
    case 'public_endpoint':
      return `${host} answers the check also without credentials, so it proves nothing about them. Set a check that needs them.${said}`;
    case 'invalid_configuration':
      return `${title} refused the request of the check. Check the connection fields.${said}`;
    case 'missing_credentials':
      return `There are no credentials for ${title} yet. Store them (updateIntegration), then test again.`;
    case 'other_origin':
      return check.providerMessage ?? '';
    case 'connected':
      return '';
  }
}

function quote(text: string): string {
  return `“${text.length > 300 ? `${text.slice(0, 300)}…` : text}”`;
}

function defined<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}
