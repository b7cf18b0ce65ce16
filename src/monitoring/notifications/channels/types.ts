import type { NotificationMessage } from '../message.ts';

export const CHANNEL_KINDS = ['webhook', 'slack', 'email', 'pagerduty', 'discord', 'teams'] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];

/** A channel with its secrets opened, for the moment of sending. */
export interface OpenChannel {
  readonly id: string;
  readonly name: string;
  readonly kind: ChannelKind;
  /** May be shown. */
  readonly settings: ChannelSettings;
  readonly secrets: ChannelSecrets;
}

/** What may be shown of a channel. */
export interface ChannelSettings {
  /** Where it leads, without path and query, which are secrets with chats. */
  readonly origin?: string;
  /** E-mail addresses. */
  readonly to?: readonly string[];
  /** Of PagerDuty. */
  readonly region?: 'us' | 'eu';
}

export interface ChannelSecrets {
  readonly url?: string;
  /** `whsec_…` */
  readonly secret?: string;
  /** The signing secret before, which signs beside the new one until then. */
  readonly former?: { readonly secret: string; readonly untilMs: number };
  readonly routingKey?: string;
}

/** One thing to send. */
export interface Outbound {
  /** The same at every attempt: receivers know by it what they have. */
  readonly id: string;
  readonly message: NotificationMessage;
}

/** What came of one attempt. */
export interface DeliveryResult {
  readonly ok: boolean;
  /** Whether another attempt may go better. */
  readonly retryable: boolean;
  /** Of HTTP; null where no answer came, and for e-mail. */
  readonly status: number | null;
  /** Asked for by the receiver. */
  readonly retryAfterMs: number | null;
  /** For people; free of secrets. */
  readonly detail: string;
}

export interface HttpPost {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}
