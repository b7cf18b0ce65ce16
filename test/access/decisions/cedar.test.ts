import { expect, test } from 'vitest';
import { compareWithCedar } from './support/compareWithCedar.ts';

test('5,000 random decisions are those of Cedar', () => {
  const { total, byRule } = compareWithCedar(5_000, 20_261);
  expect(total).toBeGreaterThanOrEqual(5_000);
  // Every kind of rule decided often, or the comparison would say little.
  for (const [kind, count] of Object.entries(byRule)) expect(count, kind).toBeGreaterThan(total / 100);
});
