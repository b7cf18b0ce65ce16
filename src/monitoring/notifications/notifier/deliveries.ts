import type { Clock } from '../../../core/clock.ts';
import { errorMessage } from '../../../core/errors.ts';
import type { Log } from '../../../core/log.ts';
import type { Database } from '../../../store/database.ts';
import type { ChannelSender } from '../channels/channelSender.ts';
import type { ChannelService } from '../channels/channelService.ts';
import type { DeliveryResult } from '../channels/types.ts';
import { beginChannelAlert, endChannelAlert } from './channelAlert.ts';
import {
  type ClaimedNotification,
  claimNotifications,
  insertFallback,
  noteChannel,
  settleNotification,
  type Verdict,
  withdrawFromLog,
} from './deliveryQueries.ts';
import { retryDelayMs } from './retries.ts';

const MAX_UNDER_WAY = 32;
/** A channel that hangs must not keep the others waiting. */
const MAX_PER_CHANNEL = 4;

/** Carries what is to be told to its channels. */
export class Deliveries {
  readonly #database: Database;
  readonly #channels: ChannelService;
  readonly #sender: ChannelSender;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #random: () => number;
  readonly #underWay = new Map<string, number>();
  readonly #settled = new Set<Promise<void>>();

  constructor(options: {
    database: Database;
    channels: ChannelService;
    sender: ChannelSender;
    clock: Clock;
    log: Log;
    random?: () => number;
  }) {
    this.#database = options.database;
    this.#channels = options.channels;
    this.#sender = options.sender;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#random = options.random ?? Math.random;
  }

  /** Begins what is due and there is room for. @returns how many were begun */
  async begin(onDone: () => void): Promise<number> {
    const limit = MAX_UNDER_WAY - this.#settled.size;
    if (limit <= 0) return 0;
    const busy = [...this.#underWay].filter(([, count]) => count >= MAX_PER_CHANNEL).map(([id]) => id);
    const claimed = await claimNotifications(this.#database.db, {
      nowMs: this.#clock.now(),
      limit,
      perChannel: MAX_PER_CHANNEL,
      busy,
    });
    for (const notification of claimed) {
      const { channel_id } = notification;
      this.#underWay.set(channel_id, (this.#underWay.get(channel_id) ?? 0) + 1);
      const done = this.#deliver(notification)
        // The lease runs out, and the notification is claimed again.
        .catch((error: unknown) => {
          this.#log.warn('A notification could not be recorded and will be sent again', {
            notificationId: notification.id,
            reason: errorMessage(error),
          });
        })
        .finally(() => {
          this.#underWay.set(channel_id, this.#underWay.get(channel_id)! - 1);
          if (this.#underWay.get(channel_id) === 0) this.#underWay.delete(channel_id);
          this.#settled.delete(done);
          onDone();
        });
      this.#settled.add(done);
    }
    return claimed.length;
  }

  /** Waits for what is under way, which takes 15 seconds at most. */
  async settle(): Promise<void> {
    await Promise.all(this.#settled);
  }

  async #deliver(claimed: ClaimedNotification): Promise<void> {
    const atMs = this.#clock.now();
    const startedMs = this.#clock.monotonicMs();
    const result = await this.#attempt(claimed);
    const durationMs = Math.round(this.#clock.monotonicMs() - startedMs);
    const verdict = this.#verdict(claimed, result);
    await this.#database.transaction(async (tx) => {
      if (!(await settleNotification(tx, claimed, { result, atMs, durationMs }, verdict))) return;
      if (verdict.kind === 'again') return;
      const nowMs = this.#clock.now();
      if (verdict.kind === 'failed') {
        const passedOn = claimed.fallback_channel_id !== null && (await insertFallback(tx, claimed, nowMs));
        if (!passedOn) await withdrawFromLog(tx, claimed);
      }
      const news = await noteChannel(tx, claimed.channel_id, verdict.kind, result.detail, nowMs);
      if (news === 'fails') await beginChannelAlert(tx, claimed.channel_id, claimed.channel_name, result.detail, nowMs);
      if (news === 'works') await endChannelAlert(tx, claimed.channel_id, nowMs);
    });
    if (verdict.kind === 'failed')
      this.#log.error('A notification could not be delivered', {
        notificationId: claimed.id,
        channel: claimed.channel_name,
        attempts: claimed.attempts,
        reason: result.detail,
      });
  }

  async #attempt({ id, channel_id, message }: ClaimedNotification): Promise<DeliveryResult> {
    const failed = (detail: string): DeliveryResult => {
      return { ok: false, retryable: false, status: null, retryAfterMs: null, detail };
    };
    try {
      const channel = await this.#channels.open(channel_id);
      if (channel === null) return failed('The channel was deleted.');
      return await this.#sender.send(channel, { id, message });
    } catch (error) {
      return failed(errorMessage(error));
    }
  }

  #verdict(claimed: ClaimedNotification, result: DeliveryResult): Verdict {
    if (result.ok) return { kind: 'delivered' };
    const nowMs = this.#clock.now();
    const delayMs = retryDelayMs(
      result,
      {
        attempts: claimed.attempts,
        ageMs: nowMs - claimed.created_at.getTime(),
        firing: claimed.message.status === 'firing',
        hasFallback: claimed.fallback_channel_id !== null,
      },
      this.#random,
    );
    return delayMs === null ? { kind: 'failed' } : { kind: 'again', atMs: nowMs + delayMs };
  }
}
