import { z } from 'zod';
import { adjustmentSchema } from '../../rateLimits/limitPlan.ts';
import { STRATEGIES } from '../../rateLimits/limitRule.ts';

export const adjustmentBody = adjustmentSchema.meta({
  id: 'RateLimitAdjustment',
  examples: [{ maxRequests: 200, windowSize: 120_000 }],
});

const use = z.object({
  integrationId: z.string(),
  action: z.string(),
  strategy: z.enum(STRATEGIES),
  maxRequests: z.int(),
  windowSize: z.int().describe('Milliseconds.'),
  burstLimit: z.int().nullable(),
  adjusted: z.boolean().describe('Whether any of it was set by PUT.'),
  remaining: z.number().describe('As the last check found it.'),
  resetAt: z.string(),
  allowed: z.int(),
  refused: z.int(),
});

export const statsAnswer = z
  .object({
    store: z.object({
      name: z.enum(['memory', 'redis', 'postgresql']),
      state: z.enum(['ok', 'lost']),
      lostSince: z.string().nullable(),
      replicas: z.int(),
    }),
    totalChecks: z.int(),
    allowed: z.int(),
    refused: z.int(),
    activeLimits: z.int(),
    limits: z.array(use),
    waiting: z.int().describe('Outgoing calls that wait in line.'),
    outgoing: z
      .array(
        z.object({
          integrationId: z.string(),
          share: z.number().describe('Of its budgets, what it uses: between 0.1 and 1, learned from answers.'),
          waiting: z.int(),
          budgets: z.array(z.object({ maxRequests: z.int(), windowSize: z.int() })),
          pausedUntil: z.string().nullable().describe('Until when the provider says that nothing is left.'),
        }),
      )
      .describe('What integrations send; counted in `limits` as `api_call`.'),
    changes: z
      .array(
        z.object({ integrationId: z.string(), from: z.number(), to: z.number(), reason: z.string(), at: z.string() }),
      )
      .describe('Of the share of its rate budget that an integration uses, between 0.1 and 1.'),
  })
  .meta({ id: 'RateLimitStats', description: 'As this replica has counted since it started.' });
