import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { Clock } from '../core/clock.ts';
import { type BodyFault, ResponseBody } from './responseBody.ts';
import { type AttemptProgress, NOTHING_SENT, TransportFailure, toTransportFailure } from './transportFailure.ts';
import type { Deadlines, Outcome, OutgoingRequest } from './types.ts';

export interface ExchangeLimits {
  readonly deadlines: Deadlines;
  /** Of the decoded body. */
  readonly maxResponseBytes: number;
  readonly signal?: AbortSignal;
}

export interface ExchangeAnswer {
  readonly status: number;
  /** Lower-case names; repeated headers are joined with ", ". */
  readonly headers: Record<string, string>;
  /** Decoded. */
  readonly body: Buffer;
  /** When the request was written, since the start. */
  readonly requestMs: number;
  readonly firstByteMs: number;
  /** Body bytes on the wire, before decoding. */
  readonly receivedBytes: number;
}

const BODY_FAULTS: Readonly<Record<BodyFault, readonly [Outcome, string]>> = {
  too_large: ['response_too_large', 'the body is larger than allowed'],
  unknown_coding: ['bad_response', 'the body has an unknown content coding'],
  corrupt: ['bad_response', 'the body does not match its content coding'],
};

/** One request on the wire and its answer, within its deadlines. Used once. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: OutgoingRequest;
  readonly #limits: ExchangeLimits;
  readonly #clock: Clock;
  readonly #startedMs: number;
  readonly #done = Promise.withResolvers<ExchangeAnswer>();
  #settled = false;
  #controller: Dispatcher.DispatchController | null = null;
  #phaseTimer: NodeJS.Timeout | undefined;
  #totalTimer: NodeJS.Timeout | undefined;
  #progress: AttemptProgress = NOTHING_SENT;
  #headers: Record<string, string> = {};
  #body: ResponseBody | null = null;

  constructor(request: OutgoingRequest, limits: ExchangeLimits, clock: Clock) {
    this.#request = request;
    this.#limits = limits;
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
  }

  /** @throws TransportFailure */
  run(dispatcher: Dispatcher): Promise<ExchangeAnswer> {
    const { signal, deadlines } = this.#limits;
    if (signal?.aborted) this.#onAbort();
    else {
      signal?.addEventListener('abort', this.#onAbort, { once: true });
      this.#totalTimer = setTimeout(() => {
        this.#fail('timeout', `the answer was not complete within ${deadlines.totalMs} ms`);
      }, deadlines.totalMs);
      this.#startPhase(deadlines.connectMs, `the connection was not open within ${deadlines.connectMs} ms`);
      const { url, method, headers, body } = this.#request;
      dispatcher.dispatch(
        { origin: url.origin, path: url.pathname + url.search, method: method as Dispatcher.HttpMethod, headers, body },
        this,
      );
    }
    return this.#done.promise;
  }

  /** The connection is open and the request is written right after this. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Given up while the connection was being opened: then nothing must be written.
    if (this.#settled) controller.abort(new Error('given up'));
    else {
      this.#progress = { ...this.#progress, sent: true, requestMs: this.#elapsedMs() };
      const { headersMs } = this.#limits.deadlines;
      this.#startPhase(headersMs, `there was no answer within ${headersMs} ms`);
    }
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // 100 Continue and the like announce the answer, they are not it.
    if (this.#settled || status < 200) return;
    this.#progress = { ...this.#progress, status, firstByteMs: this.#elapsedMs() };
    this.#headers = joinHeaders(headers);
    const declaredBytes = this.#request.method === 'HEAD' ? 0 : Number(this.#headers['content-length'] ?? 0);
    if (declaredBytes > this.#limits.maxResponseBytes && this.#headers['content-encoding'] === undefined) {
      this.#fail(...BODY_FAULTS.too_large);
      return;
    }
    this.#body = new ResponseBody(this.#headers['content-encoding'], this.#limits.maxResponseBytes, {
      complete: (body) => this.#complete(body),
      failed: (fault) => this.#fail(...BODY_FAULTS[fault]),
      drained: () => controller.resume(),
    });
    const { bodyMs } = this.#limits.deadlines;
    this.#startPhase(bodyMs, `nothing more of the body came for ${bodyMs} ms`);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled || this.#body === null) return;
    this.#phaseTimer?.refresh();
    this.#progress = { ...this.#progress, receivedBytes: this.#progress.receivedBytes + chunk.length };
    if (!this.#body.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if (!this.#settled) this.#body?.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#settle(() => this.#done.reject(toTransportFailure(error, this.#progress)));
  }

  #complete(body: Buffer): void {
    const { status, requestMs, firstByteMs, receivedBytes } = this.#progress;
    this.#settle(() =>
      this.#done.resolve({
        status: status ?? 0,
        headers: this.#headers,
        body,
        requestMs: requestMs ?? 0,
        firstByteMs: firstByteMs ?? 0,
        receivedBytes,
      }),
    );
  }

  readonly #onAbort = () => {
    this.#fail('aborted', 'the call was cancelled', this.#limits.signal?.reason);
  };

  #fail(outcome: Outcome, reason: string, cause?: unknown): void {
    this.#settle(() => {
      this.#done.reject(new TransportFailure(outcome, reason, this.#progress, cause));
      // Ends the connection too: the rest of the answer is not wanted, and cannot be skipped.
      this.#controller?.abort(new Error(reason));
    });
  }

  #settle(finish: () => void): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#phaseTimer);
    clearTimeout(this.#totalTimer);
    this.#limits.signal?.removeEventListener('abort', this.#onAbort);
    this.#body?.destroy();
    finish();
  }

  #startPhase(limitMs: number, reason: string): void {
    clearTimeout(this.#phaseTimer);
    this.#phaseTimer = setTimeout(() => this.#fail('timeout', reason), limitMs);
  }

  #elapsedMs(): number {
    return this.#clock.monotonicMs() - this.#startedMs;
  }
}

function joinHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) joined[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  }
  return joined;
}
