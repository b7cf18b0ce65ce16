import { z } from 'zod';

/** The set bounds: no experiment and no hand goes beyond them. The table checks the same. */
export const TUNING_BOUNDS = {
  pageSizePercent: [10, 1_000],
  streamConcurrency: [1, 4],
  rateSharePercent: [10, 100],
  connectMs: [1_000, 30_000],
  headersMs: [2_000, 300_000],
  totalMs: [5_000, 600_000],
} as const;

function within([min, max]: readonly [number, number]) {
  return z.number().int().min(min).max(max).nullable().default(null);
}

/** All settings at once; what is left out goes back to the connector's. */
export const tuningSchema = z.strictObject({
  pageSizePercent: within(TUNING_BOUNDS.pageSizePercent),
  streamConcurrency: within(TUNING_BOUNDS.streamConcurrency),
  rateSharePercent: within(TUNING_BOUNDS.rateSharePercent),
  connectMs: within(TUNING_BOUNDS.connectMs),
  headersMs: within(TUNING_BOUNDS.headersMs),
  totalMs: within(TUNING_BOUNDS.totalMs),
  cacheValidators: z.boolean().nullable().default(null),
});
