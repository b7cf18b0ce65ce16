import { createHmac } from 'node:crypto';
import type { HttpPost, OpenChannel, Outbound } from './types.ts';

/**
 * A request signed as Standard Webhooks 1.0.0 has it (https://www.standardwebhooks.com): HMAC-SHA256 over
 * `id.timestamp.body`, once for each secret that is valid. The timestamp is that of the attempt, the body always
 * the same.
 */
export function webhookPost({ secrets }: OpenChannel, { id, message }: Outbound, nowMs: number): HttpPost {
  const body = JSON.stringify({ type: `alert.${typeOf(message)}`, timestamp: message.at, data: message });
  const timestamp = Math.floor(nowMs / 1000);
  const valid = [secrets.secret!];
  if (secrets.former !== undefined && secrets.former.untilMs > nowMs) valid.push(secrets.former.secret);
  return {
    url: secrets.url!,
    headers: {
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': valid.map((secret) => signature(secret, id, timestamp, body)).join(' '),
    },
    body,
  };
}

function signature(secret: string, id: string, timestamp: number, body: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}

function typeOf({ reason, status }: Outbound['message']): string {
  return reason === 'test' || reason === 'acknowledged' ? reason : status;
}
