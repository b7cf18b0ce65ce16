import { z } from 'zod';
import { dashboardDefinition, dashboardFile, dashboardInput } from '../../monitoring/dashboards/dashboardSchema.ts';
import { HEALTH_GROUPS } from '../../monitoring/health/healthMonitor.ts';
import { name } from './parts.ts';

const status = z.enum(['pass', 'warn', 'fail']);
const states = z.enum(['pass', 'warn', 'fail', 'unknown']);

const check = z.object({
  status,
  observedValue: z.union([z.number(), z.string()]).optional(),
  observedUnit: z.string().optional(),
  threshold: z.number().optional().describe('From where on it does not pass.'),
  output: z.string().optional().describe('Why it does not pass, and what to do.'),
  time: z.string(),
});

export const healthAnswer = z
  .object({
    status,
    groups: z.record(z.enum(HEALTH_GROUPS), status),
    checks: z.record(z.enum(HEALTH_GROUPS), z.record(z.string(), check)),
  })
  .meta({ id: 'Health', description: 'What every part looks like now.' });

export const integrationsHealthAnswer = z
  .object({
    states: z.record(states, z.int()),
    providersDown: z.array(z.object({ platform: z.string(), failing: z.int(), looked: z.int(), outcome: z.string() })),
    failing: z
      .array(
        z.object({
          integrationId: z.string(),
          name: z.string(),
          platform: z.string(),
          outcome: z.string().nullable(),
          detail: z.string().nullable(),
          source: z.enum(['traffic', 'probe', 'none']),
          since: z.string(),
          checkedAt: z.string().nullable(),
          becauseOfProvider: z.boolean(),
        }),
      )
      .describe('The latest first; at most 100.'),
  })
  .meta({ id: 'IntegrationsHealth' });

export const metricsAnswer = z
  .object({
    data: z.array(
      z.object({
        name: z.string(),
        title: z.string(),
        unit: z.string(),
        aggregations: z.array(z.string()),
        labels: z.array(z.string()),
      }),
    ),
  })
  .meta({ id: 'Metrics' });

export const metricAnswer = z
  .object({
    metric: z.string(),
    aggregation: z.string(),
    from: z.string(),
    until: z.string(),
    stepMs: z.number(),
    series: z.array(
      z.object({
        labels: z.record(z.string(), z.string()),
        points: z.array(
          z.object({
            at: z.string(),
            value: z.number().nullable(),
            samples: z.number().describe('Measurements that the value is made of.'),
          }),
        ),
      }),
    ),
  })
  .meta({ id: 'MetricAnswer' });

const summary = {
  id: z.string(),
  title: z.string(),
  description: z.string(),
  roles: z.array(z.string()).nullable(),
  owner: z.string().nullable(),
  ready: z.boolean().describe('It comes with the product and is changed by being copied.'),
  version: z.int(),
  updatedAt: z.string().nullable(),
};

export const dashboardsAnswer = z.object({ data: z.array(z.object(summary)) }).meta({ id: 'Dashboards' });

export const dashboardAnswer = z.object({ ...summary, definition: dashboardDefinition }).meta({ id: 'Dashboard' });

export const dashboardVersionsAnswer = z
  .object({
    data: z.array(z.object({ version: z.int(), title: z.string(), savedBy: z.string(), savedAt: z.string() })),
  })
  .meta({ id: 'DashboardVersions' });

export const dashboardFileAnswer = z
  .object({
    format: z.literal('integration-services/dashboard'),
    formatVersion: z.literal(1),
    title: z.string(),
    definition: dashboardDefinition,
  })
  .meta({ id: 'DashboardFile' });

export const dashboardParams = z.strictObject({ id: name.describe('Id of the dashboard.') });
export const dashboardVersionParams = z.strictObject({
  ...dashboardParams.shape,
  version: z.coerce.number().int().min(1).max(1_000_000_000),
});
export const dashboardBody = dashboardInput.meta({ id: 'CreateDashboard' });
export const savedDashboardBody = dashboardInput
  .extend({ version: z.int().min(1).describe('The version that it was changed from.') })
  .meta({ id: 'SaveDashboard' });
export const dashboardFileBody = dashboardFile.meta({ id: 'ImportDashboard' });
