import { z } from 'zod';
import { DURATION_FORM, parseDuration } from '../../core/duration.ts';
import { metricQuerySchema } from '../metrics/metricQuery.ts';

/** Columns of the grid that panels lie on. */
const COLUMNS = 12;
const MAX_PANELS = 50;

const title = z.string().trim().min(1).max(200);
const name = z.string().regex(/^[a-zA-Z][\w-]{0,49}$/, 'takes a letter, then up to 49 letters, digits, "_" or "-"');
const span = z
  .string()
  .max(20)
  .refine((text) => parseDuration(text) !== null, `takes ${DURATION_FORM}`);

/** A metric query without its time, which the dashboard gives. `$name` in a filter stands for a variable. */
const query = metricQuerySchema
  .omit({ window: true, from: true, until: true })
  .extend({ legend: z.string().max(200).optional().describe('With {{ label }} for the label of a series.') });

const position = z
  .strictObject({
    x: z
      .int()
      .min(0)
      .max(COLUMNS - 1),
    y: z.int().min(0).max(10_000),
    width: z.int().min(1).max(COLUMNS),
    height: z.int().min(1).max(100),
  })
  .refine(({ x, width }) => x + width <= COLUMNS, {
    path: ['width'],
    error: `takes what fits into ${COLUMNS} columns`,
  });

const panel = z.strictObject({
  id: name,
  title,
  position,
  kind: z.enum(['chart', 'value', 'table', 'alerts', 'health', 'logs']),
  queries: z.array(query).max(10).default([]).describe('Of charts, values and tables.'),
  logQuery: z.string().max(1_000).optional().describe('Of logs: a search.'),
  thresholds: z
    .array(z.strictObject({ value: z.number(), state: z.enum(['warn', 'fail']) }))
    .max(5)
    .default([]),
});

const variable = z.strictObject({
  name,
  label: title,
  of: z
    .enum(['integrationId', 'platform', 'operation', 'outcome', 'process'])
    .describe('The label whose values it takes.'),
  multiple: z.boolean().default(true),
  default: z.array(z.string().max(200)).max(100).default([]).describe('Empty: all.'),
});

/** What a dashboard shows, and where. */
export const dashboardDefinition = z
  .strictObject({
    description: z.string().trim().max(2_000).default(''),
    timeRange: span.default('24h').describe(`Up to now: ${DURATION_FORM}.`),
    refresh: span.default('30s').describe(`How often it is read anew: ${DURATION_FORM}.`),
    variables: z.array(variable).max(10).default([]),
    panels: z.array(panel).max(MAX_PANELS),
  })
  .superRefine(({ variables, panels }, context) => {
    for (const [list, of] of [
      [variables.map((one) => one.name), 'variables'],
      [panels.map((one) => one.id), 'panels'],
    ] as const) {
      const twice = list.find((one, at) => list.indexOf(one) !== at);
      if (twice !== undefined) {
        context.addIssue({ code: 'custom', path: [of], message: `takes each name once, and ${twice} is there twice` });
      }
    }
    const known = new Set(variables.map((one) => `$${one.name}`));
    for (const [at, { kind, queries }] of panels.entries()) {
      const needsQuery = kind === 'chart' || kind === 'value' || kind === 'table';
      if (needsQuery && queries.length === 0) {
        context.addIssue({
          code: 'custom',
          path: ['panels', at, 'queries'],
          message: `takes at least one query for a ${kind}`,
        });
      }
      for (const value of queries.flatMap(({ filter }) => Object.values(filter).flat())) {
        if (value.startsWith('$') && !known.has(value)) {
          context.addIssue({
            code: 'custom',
            path: ['panels', at, 'queries'],
            message: `takes variables that the dashboard has, and ${value} is none`,
          });
        }
      }
    }
  });

export const dashboardInput = z.strictObject({
  title,
  roles: z
    .array(z.string().min(1).max(50))
    .min(1)
    .max(50)
    .nullable()
    .default(null)
    .describe('Who sees it besides its owner; null: everybody who may see monitoring.'),
  definition: dashboardDefinition,
});

export type DashboardDefinition = z.output<typeof dashboardDefinition>;
export type DashboardInput = z.input<typeof dashboardInput>;

/** A dashboard as a file, to be taken elsewhere. */
export const dashboardFile = z.strictObject({
  format: z.literal('integration-services/dashboard'),
  formatVersion: z.literal(1),
  title,
  definition: dashboardDefinition,
});
