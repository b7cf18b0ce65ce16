import { Mailer, type MailSettings } from '../../../access/accounts/mailer.ts';
import type { Clock } from '../../../core/clock.ts';
import { parseAllowList } from '../../../outgoing/addressPolicy.ts';
import { guardedConnect, systemResolve } from '../../../outgoing/guardedConnect.ts';
import { HttpClient } from '../../../outgoing/httpClient.ts';
import { discordPost } from './discord.ts';
import { sendEmail } from './email.ts';
import { pagerDutyPost } from './pagerDuty.ts';
import { DEADLINES, postHttp } from './postHttp.ts';
import { slackPost } from './slack.ts';
import { teamsPost } from './teams.ts';
import type { ChannelSecrets, DeliveryResult, HttpPost, OpenChannel, Outbound } from './types.ts';
import { webhookPost } from './webhook.ts';

/** Hands notifications over to channels. */
export class ChannelSender {
  readonly #http: HttpClient;
  readonly #mailer: Mailer | null;
  readonly #clock: Clock;
  readonly #closing = new AbortController();

  constructor(options: { clock: Clock; allowedPrivateHosts: readonly string[]; mail: MailSettings | null }) {
    const connect = guardedConnect({
      allowed: parseAllowList(options.allowedPrivateHosts),
      resolve: systemResolve,
      timeoutMs: DEADLINES.connectMs,
    });
    this.#clock = options.clock;
    this.#http = new HttpClient({ connect, clock: options.clock });
    this.#mailer = options.mail === null ? null : new Mailer(options.mail);
  }

  /** Whether e-mail can be sent at all. */
  get canMail(): boolean {
    return this.#mailer !== null;
  }

  /** One attempt, over within 15 seconds. Whatever the receiver does is a result; nothing is thrown for it. */
  async send(channel: OpenChannel, outbound: Outbound): Promise<DeliveryResult> {
    if (channel.kind === 'email') return await sendEmail(this.#mailer, channel, outbound, DEADLINES.totalMs);
    const nowMs = this.#clock.now();
    const secrets = secretTexts(channel.secrets);
    const post = postFor(channel, outbound, nowMs);
    return await postHttp(this.#http, post, { id: outbound.id, nowMs, secrets, signal: this.#closing.signal });
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('closing'));
    await this.#http.close();
  }
}

function postFor(channel: OpenChannel, outbound: Outbound, nowMs: number): HttpPost {
  switch (channel.kind) {
    case 'webhook':
      return webhookPost(channel, outbound, nowMs);
    case 'slack':
      return slackPost(channel, outbound);
    case 'discord':
      return discordPost(channel, outbound);
    case 'teams':
      return teamsPost(channel, outbound);
    case 'pagerduty':
      return pagerDutyPost(channel, outbound);
    case 'email':
      throw new Error('E-mail is not sent by HTTP.');
  }
}

/** What answers must not repeat: the path and query of an address as well, which often are all that protects it. */
function secretTexts({ url, secret, former, routingKey }: ChannelSecrets): string[] {
  const address = url === undefined ? [] : [url, ...pathParts(new URL(url))];
  return [...address, secret, former?.secret, routingKey].filter(
    (text) => text !== undefined && text.length > 3,
  ) as string[];
}

function pathParts({ pathname, search }: URL): string[] {
  return [pathname + search, pathname, ...pathname.split('/'), ...new URLSearchParams(search).values()].filter(
    (text) => text.length >= 8,
  );
}
