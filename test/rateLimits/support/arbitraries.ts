import fc from 'fast-check';
import { type LimitRule, STRATEGIES } from '../../../src/rateLimits/limitRule.ts';

export const anyRule: fc.Arbitrary<LimitRule> = fc
  .record({
    strategy: fc.constantFrom(...STRATEGIES),
    limit: fc.integer({ min: 1, max: 20 }),
    windowMs: fc.integer({ min: 5, max: 500 }),
    burst: fc.integer({ min: 1, max: 30 }),
  })
  .map(({ strategy, limit, windowMs, burst }) => ({
    strategy,
    limit,
    windowMs,
    capacity: strategy === 'token_bucket' ? burst : limit,
  }));

/** Moves of the clock between calls: mostly small, at times a jump, also back. */
const anyMoveMs = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 40 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 2_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: -700, max: -1 }) },
);

export const anyCalls = fc.array(fc.record({ moveMs: anyMoveMs, cost: fc.integer({ min: 1, max: 4 }) }), {
  minLength: 1,
  maxLength: 150,
});
