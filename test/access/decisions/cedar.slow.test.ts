import { expect, test } from 'vitest';
import { compareWithCedar } from './support/compareWithCedar.ts';

test('120,000 random decisions are those of Cedar', () => {
  const seed = Date.now() % 1_000_000;
  console.log(`seed ${seed}`);
  const { total, byRule } = compareWithCedar(120_000, seed);
  expect(total).toBeGreaterThanOrEqual(120_000);
  // Every kind of rule decided often, or the comparison would say little.
  for (const [kind, count] of Object.entries(byRule)) expect(count, kind).toBeGreaterThan(total / 100);
});
