import { Agent, type buildConnector } from 'undici';
import type { Clock } from '../core/clock.ts';
import { Exchange, type ExchangeAnswer, type ExchangeLimits } from './exchange.ts';
import { OriginSlots } from './originSlots.ts';
import { NOTHING_SENT, TransportFailure } from './transportFailure.ts';
import type { OutgoingRequest } from './types.ts';

/** Connections kept and calls under way to one origin. */
const CONNECTIONS_PER_ORIGIN = 64;
const IDLE_CONNECTION_MS = 10_000;
const MAX_HEADER_BYTES = 64 * 1024;

/** Sends one request and takes one answer: no redirects, retries or credentials; these are decided above it. */
export class HttpClient {
  readonly #agent: Agent;
  readonly #slots: OriginSlots;
  readonly #clock: Clock;

  constructor(options: { connect: buildConnector.connector; clock: Clock; connectionsPerOrigin?: number }) {
    const { connect, clock, connectionsPerOrigin = CONNECTIONS_PER_ORIGIN } = options;
    this.#clock = clock;
    this.#slots = new OriginSlots(connectionsPerOrigin);
    // Environment variables for proxies are not read: a proxy would resolve names behind the guard's back.
    this.#agent = new Agent({
      connect,
      connections: connectionsPerOrigin,
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: IDLE_CONNECTION_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      // The exchange has its own deadlines, to the millisecond.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /**
   * The deadlines start when the origin has a slot free; waiting for one is bounded by the whole attempt's deadline.
   * @throws TransportFailure
   */
  async exchange(request: OutgoingRequest, limits: ExchangeLimits): Promise<ExchangeAnswer & { queuedMs: number }> {
    const startedMs = this.#clock.monotonicMs();
    const release = this.#slots.tryAcquire(request.url.origin) ?? (await this.#slot(request.url.origin, limits));
    const queuedMs = this.#clock.monotonicMs() - startedMs;
    try {
      const answer = await new Exchange(request, limits, this.#clock).run(this.#agent);
      return { ...answer, queuedMs };
    } finally {
      release();
    }
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #slot(origin: string, { signal, deadlines }: ExchangeLimits): Promise<() => void> {
    const tooLate = AbortSignal.timeout(deadlines.totalMs);
    try {
      return await this.#slots.acquire(origin, signal === undefined ? tooLate : AbortSignal.any([signal, tooLate]));
    } catch (error) {
      if (signal?.aborted) throw new TransportFailure('aborted', 'the call was cancelled', NOTHING_SENT, signal.reason);
      const waited = `${deadlines.totalMs} ms`;
      throw new TransportFailure('timeout', `no connection to the host was free for ${waited}`, NOTHING_SENT, error);
    }
  }
}
