import { z } from 'zod';
import { acknowledgeSchema, unacknowledgeSchema } from '../../monitoring/notifications/acknowledgements.ts';
import { channelChangeSchema, channelSchema } from '../../monitoring/notifications/channels/schemas.ts';
import { CHANNEL_KINDS } from '../../monitoring/notifications/channels/types.ts';
import { inhibitionSchema } from '../../monitoring/notifications/inhibitionService.ts';
import { maintenanceSchema } from '../../monitoring/notifications/maintenanceService.ts';
import { policyChangeSchema, policySchema } from '../../monitoring/notifications/policySchema.ts';
import { silenceSchema } from '../../monitoring/notifications/silenceService.ts';
import { alertFlags } from './alerts.ts';
import { filterText } from './parts.ts';

const time = z.string().describe('ISO 8601.');
const labels = z.record(z.string(), z.string());
const matchers = z.array(z.object({ label: z.string(), op: z.enum(['=', '!=', '=~', '!~']), value: z.string() }));

export const channelParams = z.strictObject({ id: filterText.describe('Id of the notification channel.') });
export const policyParams = z.strictObject({ id: filterText.describe('Id of the notification policy.') });
export const silenceParams = z.strictObject({ id: filterText.describe('Id of the silence.') });
export const maintenanceParams = z.strictObject({ id: filterText.describe('Id of the maintenance window.') });
export const inhibitionParams = z.strictObject({ id: filterText.describe('Id of the inhibition rule.') });

export const addChannelBody = channelSchema.meta({
  id: 'AddNotificationChannel',
  examples: [{ kind: 'email', name: 'On call', settings: { to: ['oncall@example.com'] } }],
});
export const updateChannelBody = channelChangeSchema.meta({
  id: 'UpdateNotificationChannel',
  examples: [{ active: false }],
});
export const addPolicyBody = policySchema.meta({
  id: 'AddNotificationPolicy',
  examples: [{ name: 'Critical', matchers: [{ label: 'severity', op: '=', value: 'critical' }] }],
});
export const updatePolicyBody = policyChangeSchema.meta({
  id: 'UpdateNotificationPolicy',
  examples: [{ repeatIntervalMs: 3_600_000 }],
});
export const addSilenceBody = silenceSchema.meta({
  id: 'AddSilence',
  examples: [
    {
      matchers: [{ label: 'integrationId', op: '=', value: 'int_01k9xv' }],
      endsAt: '2030-01-01T06:00:00Z',
      comment: 'The provider moves tonight.',
    },
  ],
});
export const addMaintenanceBody = maintenanceSchema.meta({
  id: 'AddMaintenanceWindow',
  examples: [
    {
      name: 'Sunday nights',
      matchers: [{ label: 'platform', op: '=', value: 'shopify' }],
      times: { cron: '0 2 * * 7', timezone: 'Europe/Berlin', durationMs: 7_200_000 },
      comment: 'The shop is closed.',
    },
  ],
});
export const addInhibitionBody = inhibitionSchema.meta({
  id: 'AddInhibitionRule',
  examples: [
    {
      name: 'A provider that is down explains the rest',
      sourceMatchers: [{ label: 'alertname', op: '=', value: 'Provider down' }],
      targetMatchers: [{ label: 'platform', op: '!=', value: '' }],
      equal: ['platform'],
    },
  ],
});
export const acknowledgeBody = acknowledgeSchema.meta({ id: 'AcknowledgeAlerts' });
export const unacknowledgeBody = unacknowledgeSchema.meta({ id: 'UnacknowledgeAlerts' });

export const channelAnswer = z
  .object({
    id: z.string(),
    name: z.string(),
    kind: z.enum(CHANNEL_KINDS),
    settings: z.object({
      origin: z.string().optional().describe('Where it leads; the rest of the address is secret.'),
      to: z.array(z.string()).optional(),
      region: z.enum(['us', 'eu']).optional(),
    }),
    sendResolved: z.boolean(),
    active: z.boolean(),
    failures: z.int().describe('Notifications given up in a row.'),
    failingSince: time.nullable(),
    lastError: z.string().nullable(),
    lastDeliveredAt: time.nullable(),
    testedAt: time.nullable(),
    testOk: z.boolean().nullable(),
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: 'NotificationChannel' });

export const addedChannelAnswer = z
  .object({
    ...channelAnswer.shape,
    secret: z.string().nullable().describe('Of a webhook: signs what is sent. Shown this once; store it now.'),
  })
  .meta({ id: 'AddedNotificationChannel' });

export const testAnswer = z
  .object({
    ok: z.boolean(),
    status: z.int().nullable().describe('Of HTTP.'),
    detail: z.string(),
    durationMs: z.int(),
  })
  .meta({ id: 'ChannelTest', description: 'What came of the test message.' });

export const policyAnswer = z
  .object({
    id: z.string(),
    name: z.string(),
    isDefault: z.boolean(),
    position: z.int(),
    matchers,
    groupBy: z.array(z.string()),
    continue: z.boolean(),
    channels: z.array(z.string()).nullable(),
    fallbackChannel: z.string().nullable(),
    steps: z.array(z.object({ afterMs: z.int(), channels: z.array(z.string()) })),
    groupWaitMs: z.int(),
    groupIntervalMs: z.int(),
    repeatIntervalMs: z.int(),
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: 'NotificationPolicy' });

export const silenceAnswer = z
  .object({
    id: z.string(),
    matchers,
    startsAt: time,
    endsAt: time,
    author: z.string(),
    comment: z.string(),
    createdAt: time,
    state: z.enum(['pending', 'active', 'expired']),
  })
  .meta({ id: 'Silence' });

export const maintenanceAnswer = z
  .object({
    id: z.string(),
    name: z.string(),
    matchers,
    times: z.union([
      z.object({ startsAt: time, endsAt: time }),
      z.object({ cron: z.string(), timezone: z.string(), durationMs: z.int() }),
    ]),
    author: z.string(),
    comment: z.string(),
    createdAt: time,
    open: z.boolean(),
    opensAt: time.nullable(),
  })
  .meta({ id: 'MaintenanceWindow' });

export const inhibitionAnswer = z
  .object({
    id: z.string(),
    name: z.string(),
    sourceMatchers: matchers,
    targetMatchers: matchers,
    equal: z.array(z.string()),
    lingerMs: z.int(),
    createdAt: time,
  })
  .meta({ id: 'InhibitionRule' });

export const activeAlertAnswer = z
  .object({
    ruleId: z.string(),
    fingerprint: z.string(),
    labels,
    annotations: labels,
    value: z.number().nullable(),
    condition: z.string().describe('What the value is compared with.'),
    startsAt: time,
    ...alertFlags,
  })
  .meta({ id: 'ActiveAlert' });

export const notificationAnswer = z
  .object({
    id: z.string(),
    groupId: z.string(),
    policyId: z.string(),
    channelId: z.string(),
    channelName: z.string(),
    reason: z.string(),
    title: z.string(),
    alertStatus: z.enum(['firing', 'resolved']),
    firingCount: z.int(),
    resolvedCount: z.int(),
    status: z.enum(['pending', 'delivered', 'failed']),
    fallbackOf: z.string().nullable(),
    attemptCount: z.int(),
    attempts: z.array(
      z.object({
        attempt: z.int(),
        at: time,
        durationMs: z.int(),
        ok: z.boolean(),
        status: z.int().nullable(),
        detail: z.string(),
      }),
    ),
    lastError: z.string().nullable(),
    nextAttemptAt: time.nullable(),
    createdAt: time,
    finishedAt: time.nullable(),
  })
  .meta({ id: 'Notification' });

export const statusAnswer = z
  .object({
    activeAlerts: z.int(),
    channels: z.int(),
    failingChannels: z.array(z.string()),
    pendingNotifications: z.int(),
    failingRules: z.int().describe('Rules that cannot be evaluated now.'),
    warning: z.string().nullable().describe('What somebody should do; null when all is well.'),
  })
  .meta({ id: 'NotificationStatus' });
