import { z } from 'zod';
import { LOG_LEVELS } from '../../logging/types.ts';

const level = z.enum(LOG_LEVELS as [(typeof LOG_LEVELS)[number], ...(typeof LOG_LEVELS)[number][]]);
const scope = z
  .string()
  .regex(/^(\*|[\w.:-]{1,200})$/, 'takes an id of an integration, system or *')
  .describe('Of an integration, `system` or, for all that have none of their own, `*`.');
const keepDays = z.int().min(0).max(36_500);

export const levelsAnswer = z
  .object({
    started: level.describe('LOG_LEVEL, where nothing else is set.'),
    levels: z.array(z.object({ scope: z.string(), level })),
  })
  .meta({ id: 'LogLevels' });

export const levelBody = z
  .strictObject({ scope, level: level.nullable().describe('Null takes the setting back.') })
  .meta({ id: 'LogLevelChange', examples: [{ scope: 'int_01k9xv2m7d3q8h5t0c4b6n1e2f', level: 'debug' }] });

export const retentionAnswer = z
  .object({
    rules: z.array(z.object({ scope: z.string(), level: level.nullable(), keepDays: z.int() })),
    defaults: z.record(level, z.int()),
    maxBytes: z.int().nullable().describe('The oldest days go first when all records take more.'),
  })
  .meta({ id: 'LogRetention' });

export const retentionBody = z
  .strictObject({
    rules: z
      .array(
        z.strictObject({
          scope,
          level: level.nullable().describe('Null for all levels.'),
          keepDays: keepDays.nullable().describe('Null takes the rule back.'),
        }),
      )
      .max(100)
      .optional(),
    maxBytes: z.int().min(1_000_000).nullable().optional(),
  })
  .meta({
    id: 'LogRetentionChange',
    examples: [{ rules: [{ scope: '*', level: 'debug', keepDays: 1 }], maxBytes: 50_000_000_000 }],
  });
