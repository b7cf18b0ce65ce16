import type { Clock } from '../core/clock.ts';
import { parseAllowList } from '../outgoing/addressPolicy.ts';
import { guardedConnect, systemResolve } from '../outgoing/guardedConnect.ts';
import { HttpClient } from '../outgoing/httpClient.ts';
import { assertCallable } from '../outgoing/requestTarget.ts';
import { TransportFailure } from '../outgoing/transportFailure.ts';
import type { Deadlines } from '../outgoing/types.ts';
import { CheckpointNotDeliveredError } from './errors.ts';

const DEADLINES: Deadlines = { connectMs: 5_000, headersMs: 10_000, bodyMs: 5_000, totalMs: 15_000 };
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Sends checkpoints to one address, as POST with the signed note as text; a status from 200 to 299 accepts it.
 * Redirects are not followed, and private addresses are refused unless the configuration allows them.
 */
export class CheckpointWebhook {
  readonly #url: URL;
  readonly #http: HttpClient;

  constructor(options: { url: string; allowedPrivateHosts: readonly string[]; clock: Clock }) {
    this.#url = new URL(options.url);
    const connect = guardedConnect({
      allowed: parseAllowList(options.allowedPrivateHosts),
      resolve: systemResolve,
      timeoutMs: DEADLINES.connectMs,
    });
    this.#http = new HttpClient({ connect, clock: options.clock });
  }

  /** One attempt. @throws CheckpointNotDeliveredError */
  async send(note: string, signal: AbortSignal): Promise<void> {
    const headers = { 'content-type': 'text/plain; charset=utf-8', 'user-agent': 'integration-services' };
    const request = { method: 'POST', url: this.#url, headers, body: note };
    try {
      assertCallable(this.#url);
      const limits = { deadlines: DEADLINES, maxResponseBytes: MAX_ANSWER_BYTES, signal };
      const { status } = await this.#http.exchange(request, limits);
      if (status < 200 || status > 299) throw notDelivered(this.#url, `it answered with ${status}`);
    } catch (error) {
      if (error instanceof TransportFailure) throw notDelivered(this.#url, error.message, error);
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#http.close();
  }
}

function notDelivered(url: URL, reason: string, cause?: unknown): CheckpointNotDeliveredError {
  return new CheckpointNotDeliveredError(
    `A checkpoint of the audit log was not taken by AUDIT_CHECKPOINT_WEBHOOK (${url.origin}): ${reason}.`,
    { cause },
  );
}
