import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { ChannelKind, ChannelSecrets, ChannelSettings } from './types.ts';

/** Standard Webhooks' symmetric secret. */
const signingSecret = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'takes "whsec_" and 24 to 64 bytes in base64');

const address = z
  .url({ protocol: /^https?$/, error: 'takes an http or https address' })
  .max(2_000)
  .refine((text) => {
    // Asked also when it is no address at all, which is said already.
    if (!URL.canParse(text)) return true;
    const { username, password } = new URL(text);
    return username === '' && password === '';
  }, 'takes an address without a user name and password');

const channelName = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^\P{Cc}*$/u, 'takes text without control characters');

const flags = { sendResolved: z.boolean().optional(), active: z.boolean().optional() };
const webhookSettings = z.strictObject({ url: address, secret: signingSecret.optional() });
const addressSettings = z.strictObject({ url: address });
const pagerDutySettings = z.strictObject({
  routingKey: z.string().regex(/^[\w-]{20,100}$/, 'takes the integration key of an Events API v2 integration'),
  region: z.enum(['us', 'eu']).optional(),
  url: address.optional(),
});
const emailSettings = z.strictObject({
  to: z
    .array(z.email('takes an e-mail address').max(254))
    .min(1)
    .max(20)
    .refine((list) => new Set(list).size === list.length, 'takes each address once'),
});

/** A new channel. */
export const channelSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('webhook'), name: channelName, settings: webhookSettings, ...flags }),
  z.strictObject({ kind: z.literal('slack'), name: channelName, settings: addressSettings, ...flags }),
  z.strictObject({ kind: z.literal('discord'), name: channelName, settings: addressSettings, ...flags }),
  z.strictObject({ kind: z.literal('teams'), name: channelName, settings: addressSettings, ...flags }),
  z.strictObject({ kind: z.literal('pagerduty'), name: channelName, settings: pagerDutySettings, ...flags }),
  z.strictObject({ kind: z.literal('email'), name: channelName, settings: emailSettings, ...flags }),
]);
export type ChannelInput = z.input<typeof channelSchema>;

/** Settings of a kind, for a change of an existing channel. */
export const SETTINGS_OF_KIND = {
  webhook: webhookSettings,
  slack: addressSettings,
  discord: addressSettings,
  teams: addressSettings,
  pagerduty: pagerDutySettings,
  email: emailSettings,
} as const satisfies Record<ChannelKind, z.ZodType>;

/** A change. The kind stays; `settings` replaces all of them, but a webhook keeps its secret unless one is given. */
export const channelChangeSchema = z.strictObject({
  name: channelName.optional(),
  settings: z.record(z.string(), z.unknown()).optional(),
  ...flags,
});
export type ChannelChange = z.input<typeof channelChangeSchema>;

type AnySettings = {
  readonly url?: string;
  readonly secret?: string;
  readonly routingKey?: string;
  readonly region?: 'us' | 'eu';
  readonly to?: readonly string[];
};

/** Divides settings into what may be shown and what is sealed. */
export function divideSettings({ url, secret, routingKey, region, to }: AnySettings): {
  settings: ChannelSettings;
  secrets: ChannelSecrets;
} {
  return {
    settings: {
      ...(url === undefined ? {} : { origin: new URL(url).origin }),
      ...(to === undefined ? {} : { to }),
      ...(region === undefined ? {} : { region }),
    },
    secrets: {
      ...(url === undefined ? {} : { url }),
      ...(secret === undefined ? {} : { secret }),
      ...(routingKey === undefined ? {} : { routingKey }),
    },
  };
}

export function newSigningSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}
