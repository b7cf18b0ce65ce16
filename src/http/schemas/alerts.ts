import { z } from 'zod';
import { createRuleSchema, updateRuleSchema } from '../../monitoring/alerts/ruleSchema.ts';
import { ALERT_KINDS, ALERT_STATES, SEVERITIES } from '../../monitoring/alerts/types.ts';
import { filterText } from './parts.ts';

const EXAMPLE = {
  name: 'GitHub is slow',
  kind: 'performance',
  severity: 'warning',
  metric: 'response_time_ms',
  filter: [{ label: 'platform', op: 'in', values: ['github'] }],
  aggregation: 'p95',
  windowMs: 300_000,
  groupBy: ['integrationId'],
  minSamples: 20,
  op: '>',
  threshold: 2_000,
  recoveryThreshold: 1_500,
  forMs: 300_000,
  annotations: { summary: '{{ labels.integrationId }} takes {{ value }} ms.' },
} as const;

export const createRuleBody = createRuleSchema.meta({ id: 'CreateAlertRule', examples: [EXAMPLE] });
export const updateRuleBody = updateRuleSchema.meta({ id: 'UpdateAlertRule', examples: [{ threshold: 3_000 }] });
export const previewBody = z
  .strictObject({
    rule: createRuleBody,
    rangeMs: z
      .int()
      .min(10_000)
      .max(7 * 86_400_000)
      .default(3_600_000)
      .describe('At most 240 evaluations.'),
  })
  .meta({ id: 'PreviewAlertRule' });

export const ruleParams = z.strictObject({ id: filterText.describe('Id of the alert rule.') });

export const ruleAnswer = z
  .object({
    id: z.string(),
    ...createRuleSchema.shape,
    version: z.int(),
    isDefault: z.boolean().describe('Comes with the product.'),
    failure: z.string().nullable().describe('Why the last evaluation failed.'),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: 'AlertRule' });

const labels = z.record(z.string(), z.string());
const time = z.string().nullable();

/** What keeps an alert from being told of, or told again. */
export const alertFlags = {
  silencedBy: z.array(z.string()).describe('Ids of the silences that match.'),
  inhibitedBy: z
    .object({ rule: z.string().describe('Id of the inhibition rule.'), alert: z.string().describe('The cause.') })
    .nullable(),
  maintenance: z.array(z.string()).describe('Ids of the maintenance windows that are open for it.'),
  acknowledgement: z
    .object({ author: z.string(), comment: z.string(), at: z.string(), until: z.string().nullable() })
    .nullable(),
};

export const alertAnswer = z
  .object({
    ruleId: z.string(),
    ruleName: z.string(),
    fingerprint: z.string().describe('Names the series within the rule.'),
    kind: z.enum(ALERT_KINDS),
    severity: z.enum(SEVERITIES),
    metric: z.string(),
    labels,
    annotations: labels,
    state: z.enum(ALERT_STATES),
    reason: z.string(),
    value: z.number().nullable(),
    evidence: z.object({ samples: z.number(), error: z.string().optional() }),
    activeSince: time.describe('Since when the condition holds.'),
    firedAt: time,
    resolvedAt: time,
    changedAt: z.string(),
    evaluatedAt: z.string().describe('When the value was read.'),
    ...alertFlags,
  })
  .meta({ id: 'Alert' });

export const alertChangeAnswer = z
  .object({
    seq: z.int().describe('Rises in the order in which changes were stored.'),
    ruleId: z.string(),
    ruleName: z.string(),
    fingerprint: z.string(),
    kind: z.enum(ALERT_KINDS),
    severity: z.enum(SEVERITIES),
    from: z.enum(ALERT_STATES),
    to: z.enum(ALERT_STATES),
    reason: z.string(),
    labels,
    annotations: labels,
    integrationId: z.string().nullable(),
    value: z.number().nullable(),
    at: z.string(),
  })
  .meta({ id: 'AlertChange' });

export const triedAnswer = z
  .object({
    at: z.string(),
    error: z.string().nullable().describe('Why the query failed.'),
    total: z.int(),
    breached: z.int(),
    series: z.array(
      z.object({
        labels,
        value: z.number().nullable(),
        samples: z.number(),
        condition: z.enum(['breached', 'between', 'recovered', 'no_data', 'error', 'keep']),
        state: z.enum(ALERT_STATES),
        nextState: z.enum(ALERT_STATES),
      }),
    ),
  })
  .meta({ id: 'TriedAlertRule' });

export const previewAnswer = z
  .object({
    from: z.string(),
    to: z.string(),
    evaluations: z.int(),
    failedEvaluations: z.int(),
    error: z.string().nullable(),
    alerts: z.array(
      z.object({
        labels,
        transitions: z.array(
          z.object({
            at: z.string(),
            from: z.enum(ALERT_STATES),
            to: z.enum(ALERT_STATES),
            reason: z.string(),
            value: z.number().nullable(),
          }),
        ),
      }),
    ),
  })
  .meta({ id: 'AlertRulePreview' });

export const ruleFilter = {
  kind: z.enum(ALERT_KINDS).optional(),
  severity: z.enum(SEVERITIES).optional(),
  enabled: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional(),
  metric: filterText.optional(),
};

export const alertFilter = {
  state: z.enum(ALERT_STATES).optional().describe('Default: all but normal.'),
  severity: z.enum(SEVERITIES).optional(),
  kind: z.enum(ALERT_KINDS).optional(),
  integrationId: filterText.optional(),
  ruleId: filterText.optional(),
};

const moment = z.iso.datetime({ offset: true }).optional();

export const alertHistoryFilter = {
  ruleId: filterText.optional(),
  fingerprint: filterText.optional().describe('Of one alert, with `ruleId`.'),
  integrationId: filterText.optional(),
  kind: z.enum(ALERT_KINDS).optional(),
  severity: z.enum(SEVERITIES).optional(),
  state: z.enum(ALERT_STATES).optional().describe('Which the alert came to.'),
  since: moment.describe('Not before.'),
  until: moment.describe('Before.'),
};
