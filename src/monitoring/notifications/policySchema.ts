import { z } from 'zod';
import { labelName, matchersSchema } from './labelMatchers.ts';
import { BY_ALL_LABELS } from './routing.ts';
import { DEFAULT_TIMING } from './types.ts';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const channelId = z.string().min(1).max(100);
const channelIds = z
  .array(channelId)
  .max(20)
  .refine((ids) => new Set(ids).size === ids.length, 'takes each channel once');

const step = z.strictObject({
  afterMs: z
    .int()
    .min(SECOND_MS)
    .max(7 * DAY_MS)
    .describe('After the first notification; milliseconds.'),
  channels: channelIds.min(1),
});

const fields = {
  name: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .regex(/^\P{Cc}*$/u, 'takes text without control characters'),
  position: z.int().min(0).max(1_000_000).describe('Lower ones are looked at first.'),
  matchers: matchersSchema.describe('All have to hold; none: every alert.'),
  groupBy: z
    .array(z.union([labelName, z.literal(BY_ALL_LABELS)]))
    .max(20)
    .describe('Alerts with the same values are told of together; "...": each by itself.'),
  continue: z.boolean().describe('Whether the policies after it are looked at too.'),
  channels: channelIds.nullable().describe('Null: every channel that is active.'),
  fallbackChannel: channelId.nullable().describe('Is told what cannot be delivered.'),
  steps: z
    .array(step)
    .max(10)
    .refine((steps) => steps.every(({ afterMs }, at) => at === 0 || afterMs > steps[at - 1]!.afterMs), {
      error: 'takes steps in the order of their times',
    })
    .describe('Who else is told until somebody acknowledges.'),
  groupWaitMs: z.int().min(0).max(HOUR_MS),
  groupIntervalMs: z.int().min(SECOND_MS).max(DAY_MS),
  repeatIntervalMs: z
    .int()
    .min(SECOND_MS)
    .max(30 * DAY_MS),
};

/** A new policy. */
export const policySchema = z.strictObject({
  name: fields.name,
  position: fields.position.default(100),
  matchers: fields.matchers.default([]),
  groupBy: fields.groupBy.default(['alertname', 'integrationId']),
  continue: fields.continue.default(false),
  channels: fields.channels.default(null),
  fallbackChannel: fields.fallbackChannel.default(null),
  steps: fields.steps.default([]),
  groupWaitMs: fields.groupWaitMs.default(DEFAULT_TIMING.groupWaitMs),
  groupIntervalMs: fields.groupIntervalMs.default(DEFAULT_TIMING.groupIntervalMs),
  repeatIntervalMs: fields.repeatIntervalMs.default(DEFAULT_TIMING.repeatIntervalMs),
});
export type PolicyInput = z.input<typeof policySchema>;

/** A change: what is left out stays. */
export const policyChangeSchema = z.strictObject(fields).partial();
export type PolicyChange = z.input<typeof policyChangeSchema>;
