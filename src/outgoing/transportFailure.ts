import { BlockedTargetError } from './guardedConnect.ts';
import type { Outcome } from './types.ts';

/** How far the answer had come when the attempt failed. */
export interface AttemptProgress {
  /** The request may have reached the provider. False is a proof that it has not. */
  readonly sent: boolean;
  readonly status: number | null;
  /** When the request was written, in milliseconds since the attempt began. */
  readonly requestMs: number | null;
  /** Since the attempt began. */
  readonly firstByteMs: number | null;
  readonly receivedBytes: number;
}

export const NOTHING_SENT: AttemptProgress = {
  sent: false,
  status: null,
  requestMs: null,
  firstByteMs: null,
  receivedBytes: 0,
};

/** No answer that could be judged: the connection, the deadline or the body failed. */
export class TransportFailure extends Error {
  readonly outcome: Outcome;
  /** Written by us: never text of the provider, so free of secrets. */
  readonly reason: string;
  readonly progress: AttemptProgress;

  constructor(outcome: Outcome, reason: string, progress: AttemptProgress, cause?: unknown) {
    super(reason, cause === undefined ? undefined : { cause });
    this.outcome = outcome;
    this.reason = reason;
    this.progress = progress;
  }
}

const DNS_REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the host name does not exist',
  ENODATA: 'the host name has no address',
  EAI_AGAIN: 'the name server did not answer',
  EAI_FAIL: 'the name server failed',
  EAI_NODATA: 'the host name has no address',
  EAI_NONAME: 'the host name does not exist',
  ESERVFAIL: 'the name server failed',
};

const UNREACHABLE_REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  ECONNABORTED: 'the connection was aborted',
  EPIPE: 'the connection was closed while the request was sent',
  EHOSTUNREACH: 'there is no route to the host',
  EHOSTDOWN: 'the host is down',
  ENETUNREACH: 'there is no route to the network',
  ENETDOWN: 'the network is down',
  EADDRNOTAVAIL: 'no local address or port is free for the connection',
  UND_ERR_SOCKET: 'the connection was closed before the answer was complete',
};

const TLS_REASONS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the certificate has expired',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet',
  CERT_REVOKED: 'the certificate was revoked',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'the certificate chain ends in a root that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'the certificate chain is incomplete',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the issuer of the certificate is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the certificate chain is incomplete',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another host name',
  EPROTO: 'the TLS handshake failed',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the server does not speak TLS on this port',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the server offers only outdated TLS versions',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'the server does not accept our TLS versions',
};

/** Names a failure of undici, Node, OpenSSL or DNS in the words of the pipeline. */
export function toTransportFailure(error: unknown, progress: AttemptProgress): TransportFailure {
  if (error instanceof TransportFailure) return error;
  const failed = (outcome: Outcome, reason: string) => new TransportFailure(outcome, reason, progress, error);
  for (const one of causesOf(error)) {
    if (one instanceof BlockedTargetError) return failed('blocked', one.message);
    // undici's parser errors have a code only sometimes, and a name always.
    const { name, code: given } = one as { name?: unknown; code?: unknown };
    const code = name === 'HTTPParserError' ? 'HPE_' : String(given ?? '');
    const dns = DNS_REASONS[code] ?? (code.startsWith('EAI_') ? 'the host name could not be resolved' : undefined);
    if (dns !== undefined) return failed('dns_error', dns);
    const tls = TLS_REASONS[code] ?? (/^(CERT_|ERR_TLS_|ERR_SSL_|ERR_OSSL_)/.test(code) ? 'TLS failed' : undefined);
    if (tls !== undefined) return failed('tls_error', `${tls} (${code})`);
    const unreachable = UNREACHABLE_REASONS[code];
    if (unreachable !== undefined) return failed('unreachable', unreachable);
    if (code === 'ETIMEDOUT' || code === 'UND_ERR_CONNECT_TIMEOUT') {
      return failed('timeout', 'the connection was not open in time');
    }
    if (code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW' || code.startsWith('UND_ERR_RES')) {
      return failed('bad_response', 'the answer is not valid HTTP');
    }
    if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') {
      return failed('invalid_request', 'the method, path or a header has characters that HTTP does not allow');
    }
    if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') return failed('aborted', 'the server is closing');
  }
  const { code } = error as { code?: unknown };
  return failed('unreachable', typeof code === 'string' ? `the connection failed (${code})` : 'the connection failed');
}

/** The error itself, then what it wraps: several addresses that all failed, or a cause. */
function causesOf(error: unknown, depth = 0): unknown[] {
  if (typeof error !== 'object' || error === null || depth > 3) return [];
  const { errors, cause } = error as { errors?: unknown; cause?: unknown };
  // Of several addresses the errors say more than the wrapper's code.
  const wrapped = Array.isArray(errors) ? errors.flatMap((one) => causesOf(one, depth + 1)) : [];
  return [...wrapped, error, ...causesOf(cause, depth + 1)];
}
