import { AppError } from '../core/errors.ts';
import type { Outcome } from './types.ts';

/** What to do about an outcome, for the end of the message. */
const ADVICE: Readonly<Record<Outcome, string>> = {
  success: '',
  wrong_credentials: 'Check the credentials of the integration.',
  missing_scope: 'Grant the credentials the permission that this call needs.',
  rate_limited: 'Try again later, or lower the rate limits of the integration.',
  not_found: 'Check the address and the ids in it.',
  invalid_request: 'Check the parameters of the request.',
  provider_error: 'The provider has a problem; try again later.',
  bad_response: 'Check that the address is the API and not a web page or a proxy.',
  response_too_large: 'Ask for smaller pages.',
  timeout: 'Try again later; if it stays so, check the address and the network.',
  unreachable: 'Check the address, the port and the network.',
  dns_error: 'Check the host name.',
  tls_error: 'Check the certificate of the server, and that the address is right.',
  blocked: 'Such targets are not called; a private host that is meant can be added to ALLOWED_PRIVATE_HOSTS.',
  circuit_open: 'Calls are paused because the last ones failed; they resume by themselves.',
  aborted: '',
};

export interface OutgoingFailure {
  readonly outcome: Outcome;
  readonly method: string;
  /** Without query, fragment and user information. */
  readonly url: string;
  /** What happened, without secrets. */
  readonly reason: string;
  /** Attempts made; 0 when nothing was sent. */
  readonly attempts: number;
  readonly status?: number;
  readonly providerCode?: string;
  readonly providerMessage?: string;
  /** When the same call may work, in milliseconds from now. */
  readonly retryAfterMs?: number;
}

/** A call to a provider did not succeed. `outcome` says which way, `message` what to do. */
export class OutgoingCallError extends AppError {
  readonly code = 'OUTGOING_CALL_FAILED';
  readonly outcome: Outcome;
  readonly method: string;
  readonly url: string;
  readonly reason: string;
  readonly attempts: number;
  readonly status?: number;
  readonly providerCode?: string;
  readonly providerMessage?: string;
  readonly retryAfterMs?: number;

  constructor(failure: OutgoingFailure) {
    const { outcome, method, url, reason, attempts, status, providerCode, providerMessage, retryAfterMs } = failure;
    const said = [providerCode, providerMessage].filter(Boolean).join(': ');
    const sentence = `${method} ${url} failed: ${reason}${said === '' ? '' : ` (${said})`}.`;
    super(ADVICE[outcome] === '' ? sentence : `${sentence} ${ADVICE[outcome]}`, { details: { ...failure } });
    this.outcome = outcome;
    this.method = method;
    this.url = url;
    this.reason = reason;
    this.attempts = attempts;
    this.status = status;
    this.providerCode = providerCode;
    this.providerMessage = providerMessage;
    this.retryAfterMs = retryAfterMs;
  }
}
