import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileRule, passes } from '../../../src/monitoring/alerts/compiledRule.ts';
import { compare } from '../../../src/monitoring/alerts/condition.ts';
import { QueryAnswer } from '../../../src/monitoring/alerts/queryAnswer.ts';
import { parseRule } from '../../../src/monitoring/alerts/ruleSchema.ts';
import { COMPARISONS, type MetricSample } from '../../../src/monitoring/alerts/types.ts';
import { errorRateRule } from './support/rules.ts';

const GROUP_BY = ['integrationId', 'operation'];

// Few different values, so that many are equal to each other and to thresholds.
const value = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(null, Infinity, -Infinity, 0.5, -0));
const name = fc.constantFrom('a', 'b', 'c', 'd');
const samples: fc.Arbitrary<MetricSample[]> = fc
  .uniqueArray(fc.record({ integrationId: name, operation: name, value }), {
    selector: ({ integrationId, operation }) => `${integrationId} ${operation}`,
  })
  .map((rows) => rows.map(({ value: one, ...labels }) => ({ labels, value: one, samples: 1 })));
const filter = fc.array(
  fc.record({
    label: fc.constantFrom(...GROUP_BY),
    op: fc.constantFrom('in' as const, 'not_in' as const),
    values: fc.uniqueArray(name, { minLength: 1, maxLength: 3 }),
  }),
  { maxLength: 2 },
);

describe('the series of a rule, found without looking at the others', () => {
  test('are those that looking at each gives', () => {
    fc.assert(
      fc.property(
        samples,
        filter,
        fc.constantFrom(...COMPARISONS),
        fc.integer({ min: -3, max: 3 }),
        fc.constantFrom(1, 100),
        (given, filters, op, threshold, rules) => {
          const data = parseRule(errorRateRule({ groupBy: GROUP_BY, filter: filters, op, threshold }));
          const compiled = compileRule({ ...data, id: 'r' }, 1);
          const answer = new QueryAnswer(given, compiled.query.groupBy, rules);
          const about = given.flatMap(({ labels }, row) => (passes(labels, filters) ? [row] : []));
          const breaching = about.filter((row) => {
            const { value: one } = given[row]!;
            return one !== null && compare(one, op, threshold);
          });
          expect([...answer.rowsOf(compiled)].sort()).toEqual(about.sort());
          expect([...answer.breachingRows(compiled)].sort()).toEqual(breaching.sort());
          for (const row of about) expect(answer.rowOf(answer.keyOf(row))).toBe(row);
        },
      ),
    );
  });
});

describe('rules that measure the same have the same shape', () => {
  const shapeOf = (fields: Parameters<typeof errorRateRule>[0]) =>
    compileRule({ ...parseRule(errorRateRule(fields)), id: 'r' }, 1).shape;

  test('whatever the order of labels and values, and for whichever integration', () => {
    const one = { label: 'integrationId', op: 'in' as const, values: ['int_a'] };
    expect(shapeOf({ filter: [one], groupBy: [] })).toBe(shapeOf({}));
    expect(shapeOf({ groupBy: ['operation', 'integrationId'] })).toBe(
      shapeOf({ groupBy: ['integrationId', 'operation'] }),
    );
    const filtered = (values: string[]) => shapeOf({ filter: [{ label: 'operation', op: 'in', values }] });
    expect(filtered(['sync', 'check'])).toBe(filtered(['check', 'sync']));
  });

  test('but not when something else is measured', () => {
    const several = [{ label: 'integrationId', op: 'in' as const, values: ['int_a', 'int_b'] }];
    const shapes = [
      shapeOf({}),
      shapeOf({ windowMs: 120_000 }),
      shapeOf({ groupBy: [] }),
      shapeOf({ groupBy: [], filter: several }),
      shapeOf({ filter: [{ label: 'operation', op: 'in', values: ['sync'] }] }),
      shapeOf({ filter: [{ label: 'operation', op: 'not_in', values: ['sync'] }] }),
    ];
    expect(new Set(shapes).size).toBe(shapes.length);
  });
});
