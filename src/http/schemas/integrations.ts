import { z } from 'zod';

const EXAMPLE = {
  id: 'int_01k9y3v6h8e7a9m2qf5t0xw4zr',
  owner: 'default',
  name: 'Our code',
  type: 'developer_tools',
  platform: 'github',
  status: 'connected',
  statusReason: null,
  configuration: { syncFrequency: 'hourly' },
  credentialFields: ['token'],
  credentialsUpdatedAt: '2026-11-22T20:00:00.000Z',
  version: 1,
  createdAt: '2026-11-22T20:00:00.000Z',
  updatedAt: '2026-11-22T20:00:03.000Z',
} as const;

export const integrationAnswer = z
  .object({
    id: z.string(),
    owner: z.string(),
    name: z.string(),
    type: z.string(),
    platform: z.string(),
    status: z.enum(['pending', 'connected', 'disconnected', 'error', 'deleting']),
    statusReason: z.string().nullable(),
    // Checked when it came in; what an older version stored is answered as it is.
    configuration: z.record(z.string(), z.unknown()) as z.ZodType<object>,
    credentialFields: z.array(z.string()).describe('Names of the stored fields; values are never returned.'),
    credentialsUpdatedAt: z.string().nullable(),
    version: z.int(),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: 'Integration', examples: [EXAMPLE] });

export const connectionTestAnswer = z
  .object({
    success: z.boolean(),
    latencyMs: z.number(),
    status: z.string(),
    error: z.string().optional().describe('What was wrong and what to do; absent on success.'),
    details: z.object({
      platform: z.string(),
      operationId: z.string(),
      httpStatus: z.int().optional(),
      url: z.string().optional(),
      providerCode: z.string().optional(),
      providerMessage: z.string().optional(),
      account: z.string().optional(),
      missingScopes: z.array(z.string()).optional(),
      retryAfterSeconds: z.number().optional(),
      attempts: z.int().optional(),
      testedAt: z.string(),
    }),
  })
  .meta({ id: 'ConnectionTestResult' });

export const healthAnswer = z
  .object({
    integrationId: z.string(),
    status: z.enum(['healthy', 'degraded', 'unhealthy', 'unknown']),
    checks: z.array(
      z.object({
        name: z.string(),
        state: z.enum(['pass', 'warn', 'fail', 'unknown']),
        observed: z.string(),
        detail: z.string().optional(),
      }),
    ),
    checkedAt: z.string(),
    connection: connectionTestAnswer,
  })
  .meta({ id: 'HealthCheckResult' });

const measured = z.number().nullable();

export const metricsAnswer = z
  .object({
    integrationId: z.string(),
    windowHours: z.number(),
    totalRequests: z.int(),
    successfulRequests: z.int(),
    failedRequests: z.int(),
    successRate: measured,
    errorRate: measured,
    avgResponseTime: measured,
    p50ResponseTime: measured,
    p95ResponseTime: measured,
    p99ResponseTime: measured,
    responseBytes: z.number(),
    outcomes: z.record(z.string(), z.int()),
    syncRuns: z.int(),
    failedSyncRuns: z.int(),
    recordsSynced: z.int(),
    recordCount: z.int(),
    lastSyncAt: z.string().nullable(),
  })
  .meta({ id: 'IntegrationMetrics', description: 'Percentages are 0–100, times milliseconds; null without samples.' });

export const rateLimitAnswer = z
  .object({
    action: z.string(),
    allowed: z.boolean(),
    limit: z.number(),
    remaining: z.number(),
    resetAt: z.string(),
    retryAfter: z.number().describe('Seconds until the next call is allowed; 0 when it is.'),
  })
  .meta({ id: 'RateLimitResult' });

export const webhookAnswer = z
  .object({
    id: z.string(),
    url: z.string(),
    events: z.array(z.string()),
    description: z.string().optional(),
    active: z.boolean(),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: 'Webhook' });
