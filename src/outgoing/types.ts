/** What a call was made for. */
export type OperationKind = 'sync' | 'check' | 'health' | 'proxy' | 'revoke' | 'token';

/**
 * How a call, or one attempt of it, ended. Everything that watches the path (tests of a connection, retries,
 * health, metrics) speaks these words.
 */
export type Outcome =
  | 'success'
  | 'wrong_credentials'
  | 'missing_scope'
  | 'rate_limited'
  | 'not_found'
  | 'invalid_request'
  | 'provider_error'
  | 'bad_response'
  | 'response_too_large'
  | 'timeout'
  | 'unreachable'
  | 'dns_error'
  | 'tls_error'
  | 'blocked'
  | 'circuit_open'
  | 'aborted';

/** The request as it leaves, before and after the credential is put in. */
export interface OutgoingRequest {
  method: string;
  url: URL;
  /** Lower-case names. */
  headers: Record<string, string>;
  body?: string | Buffer;
}

/** Puts a credential into a request. Called once an attempt, only for origins in `origins`. */
export interface Authenticator {
  /** Origins (`https://api.example.com`) that may receive this credential; any other goes without. */
  readonly origins: readonly string[];
  apply(request: OutgoingRequest, signal: AbortSignal): Promise<void>;
  /** After `wrong_credentials`: drops a cached token; true when a retry with a fresh one makes sense. */
  refresh?(): Promise<boolean>;
}

export interface OutgoingResponse {
  readonly status: number;
  /** Lower-case names; repeated headers are joined with ", ". */
  readonly headers: Readonly<Record<string, string>>;
  /** The decompressed body, at most the call's `maxResponseBytes`. */
  readonly body: Buffer;
  /** The URL that answered (after redirects). */
  readonly url: string;
  /** The last attempt's duration. */
  readonly latencyMs: number;
  readonly attempts: number;
}

/** What an answer means, judged from status, headers and body. */
export interface Classification {
  readonly outcome: Outcome;
  /** Whether the same request may be sent again later. */
  readonly retryable: boolean;
  /** The provider's own code or message, short and free of secrets. */
  readonly providerCode?: string;
  readonly providerMessage?: string;
  /** Wait asked for by the answer (Retry-After, reset headers), in milliseconds. */
  readonly retryAfterMs?: number;
}

export type ResponseClassifier = (response: OutgoingResponse) => Classification;

/** What is left of a provider's own budget, read from its headers. */
export interface ObservedRateLimit {
  readonly limit?: number;
  readonly remaining: number;
  /** Epoch milliseconds when the budget is full again. */
  readonly resetAtMs: number;
}

export interface RetryPolicy {
  /** Attempts in all, the first included. */
  readonly maxAttempts: number;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** A wait asked for that is longer is not waited for: the call fails, and its error tells the wait. */
  readonly maxRetryAfterMs: number;
}

export interface Deadlines {
  readonly connectMs: number;
  readonly headersMs: number;
  /** The longest silence while the body arrives. */
  readonly bodyMs: number;
  /** The whole attempt, from the socket to the last byte. */
  readonly totalMs: number;
}

export interface OutgoingCall {
  readonly integrationId: string;
  /** Of the integration's connector. */
  readonly platform?: string;
  /** The sync run, test or proxy request that this call belongs to. */
  readonly operationId: string;
  readonly operation: OperationKind;
  readonly method: string;
  readonly url: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly authenticator?: Authenticator;
  /** Values hidden in errors and records, beside the headers and credentials that the pipeline sees itself. */
  readonly secrets?: readonly string[];
  readonly classify?: ResponseClassifier;
  /** Reads the provider's budget from an answer; the budget is then respected by later calls. */
  readonly observeRateLimit?: (response: OutgoingResponse) => ObservedRateLimit | undefined;
  /** Requests a second/minute this credential may make; undefined uses the configured default. */
  readonly budgets?: readonly { readonly maxRequests: number; readonly windowMs: number }[];
  /** Longest wait for the rate budget before the call fails as rate_limited. */
  readonly maxWaitMs?: number;
  readonly retry?: Partial<RetryPolicy>;
  readonly deadlines?: Partial<Deadlines>;
  readonly maxResponseBytes?: number;
  /** Default true for GET and HEAD: what another method may have done is not done twice unless the caller allows it. */
  readonly idempotent?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * The one way out. Resolves only for a `success`; every other outcome throws `OutgoingCallError`.
 * What the call's authenticator throws passes through.
 */
export type SendOutgoing = (call: OutgoingCall) => Promise<OutgoingResponse>;

/** Where the time of an attempt went, in milliseconds; null for what it did not come to. */
export interface AttemptPhases {
  /** Waited after the attempt before it. */
  readonly backoffMs: number;
  /** Waited for the rate budget. */
  readonly rateLimitMs: number;
  /** Waited for one of the slots that a host has. */
  readonly queueMs: number;
  /** Until the request could be written: DNS, TCP and TLS, or next to nothing on a connection that was open. */
  readonly connectMs: number | null;
  /** From the request to the head of its answer. */
  readonly firstByteMs: number | null;
  /** From the head of the answer to its end. */
  readonly bodyMs: number | null;
}

/** One attempt as recorded in `outgoing_attempts`; `path` carries no query string. */
export interface AttemptRecord {
  readonly id: string;
  readonly operationId: string;
  readonly integrationId: string;
  readonly platform?: string;
  readonly operation: OperationKind;
  readonly attempt: number;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly status: number | null;
  readonly outcome: Outcome;
  readonly startedAt: Date;
  /** Without what was waited for before it. */
  readonly durationMs: number;
  /** Waited for the rate budget, for a slot and between attempts. */
  readonly waitMs: number;
  /** Since the attempt began. */
  readonly firstByteMs: number | null;
  readonly phases: AttemptPhases;
  /** Of the body on the wire, before decoding. */
  readonly responseBytes: number;
  readonly error: string | null;
}

/** Takes what the pipeline observes; must not throw and must be bounded. */
export interface AttemptSink {
  record(attempt: AttemptRecord): void;
}
