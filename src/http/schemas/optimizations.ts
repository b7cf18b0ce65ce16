import { z } from 'zod';
import { tuningSchema } from '../../performance/tuning/tuningInput.ts';
import { integrationParams } from './parts.ts';

export const experimentParams = z.strictObject({
  ...integrationParams.shape,
  experimentId: z.string().regex(/^[\x21-\x7e]{1,200}$/),
});

export const tuningBody = tuningSchema.meta({ id: 'TuningSettings', examples: [{ pageSizePercent: 50 }] });

const setting = z.number().int().nullable().describe('Null: as the connector says.');

export const tuningAnswer = z
  .object({
    pageSizePercent: setting,
    streamConcurrency: setting,
    rateSharePercent: setting,
    connectMs: setting,
    headersMs: setting,
    totalMs: setting,
    cacheValidators: z.boolean().nullable().describe('Null: as the connector says.'),
    version: z.number().int(),
    updatedAt: z.string().nullable(),
  })
  .meta({ id: 'Tuning' });

const change = z
  .object({
    knob: z.enum(['pageSizePercent', 'streamConcurrency', 'rateSharePercent', 'headersMs', 'cacheValidators']),
    from: z.union([z.number().int(), z.boolean()]).nullable().describe('Null: as the connector says.'),
    to: z.union([z.number().int(), z.boolean()]),
    goal: z.enum(['throughput', 'errors']),
    reason: z.string(),
    evidence: z.record(z.string(), z.number()),
  })
  .meta({ id: 'TuningChange' });

const measures = z
  .object({
    from: z.string(),
    until: z.string(),
    throughputs: z.array(z.number()).describe('Records a second, read or confirmed, of each comparable sync.'),
    recordsPerSecond: z.number().nullable().describe('Their median.'),
    succeededRuns: z.number().int(),
    failedRuns: z.number().int(),
    calls: z.number().int(),
    failedCalls: z.number().int(),
  })
  .meta({ id: 'PeriodMeasures' });

const measured = {
  change,
  performanceGain: z.number().nullable().describe('Percent, as measured; null until then.'),
  confidence: z.number().nullable().describe('1 − p, between 0 and 1.'),
  before: measures,
  after: measures.nullable(),
  startedAt: z.string(),
  decideBy: z.string(),
};

export const experimentAnswer = z
  .object({
    id: z.string(),
    integrationId: z.string(),
    status: z.enum(['running', 'kept', 'rolled_back', 'inconclusive', 'reverted']),
    ...measured,
    verdict: z.string().nullable(),
    finishedAt: z.string().nullable(),
  })
  .meta({ id: 'TuningExperiment' });

export const optimizationAnswer = z
  .object({
    integrationId: z.string(),
    status: z.enum(['started', 'running', 'kept', 'rolled_back', 'nothing_to_do', 'not_enough_data']),
    reason: z.string(),
    experimentId: z.string().nullable(),
    ...measured,
    change: change.nullable(),
    before: measures.nullable(),
    startedAt: z.string().nullable(),
    decideBy: z.string().nullable(),
    revert: z.string().nullable().describe('The call that takes it back.'),
  })
  .meta({ id: 'OptimizationResult' });
