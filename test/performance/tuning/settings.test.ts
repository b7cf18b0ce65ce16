import { describe, expect, test } from 'vitest';
import { type Pagination, paginationSchema } from '../../../src/connectors/format/pagination.ts';
import type { Connector } from '../../../src/connectors/format.ts';
import { pageSizeRange, sizeAt, withPageSizes } from '../../../src/connectors/pagination/pageSizeRange.ts';
import type { OutgoingCall } from '../../../src/outgoing/types.ts';
import { tuneCall } from '../../../src/performance/tuning/applyTuning.ts';
import { UNTUNED } from '../../../src/performance/tuning/types.ts';

const parse = (given: object): Pagination => paginationSchema.parse(given);
const pageSize = { param: 'n', value: 100 };

describe('the size of pages', () => {
  test('is never above the connector’s, unless it says how far the API goes', () => {
    const range = pageSizeRange(parse({ type: 'link_header', pageSize }))!;
    expect(range).toEqual({ min: 10, value: 100, max: 100 });
    expect([5, 50, 100, 1000].map((percent) => sizeAt(range, percent))).toEqual([10, 50, 100, 100]);
    const wide = pageSizeRange(parse({ type: 'link_header', pageSize: { ...pageSize, min: 40, max: 250 } }))!;
    expect([10, 50, 200, 1000].map((percent) => sizeAt(wide, percent))).toEqual([40, 50, 200, 250]);
  });

  test.each([
    [{ type: 'none' }],
    [{ type: 'link_header' }],
    [{ type: 'page', param: 'p', totalPath: 'total', pageSize }],
  ])('stays as it is: %j', (pagination) => {
    expect(pageSizeRange(parse(pagination))).toBeNull();
  });

  test('of all streams changes together, and a short page ends none of them then', () => {
    const connector = {
      pagination: parse({ type: 'page', param: 'p', pageSize, shortPageEnds: true }),
      streams: [
        {
          name: 'own',
          pagination: parse({ type: 'offset', param: 'o', pageSize: { param: 'n', value: 20 }, totalPath: 't' }),
        },
        { name: 'shared' },
      ],
    } as unknown as Connector;
    expect(withPageSizes(connector, 100)).toBe(connector);
    expect(withPageSizes(connector, 50)).toMatchObject({
      pagination: { pageSize: { value: 50 }, shortPageEnds: false },
      streams: [{ pagination: { pageSize: { value: 10 }, totalPath: 't' } }, { name: 'shared' }],
    });
  });
});

describe('a call', () => {
  const call: OutgoingCall = {
    integrationId: 'int_a',
    operationId: 'op_a',
    operation: 'sync',
    method: 'GET',
    url: 'https://example.com',
  };
  const standard = { maxRequests: 100, windowMs: 60_000 };

  test('goes as it is where nothing is set', () => {
    expect(tuneCall(call, UNTUNED, standard)).toEqual(call);
  });

  test('gets the deadlines that are set, and its own before them; calls that are no sync’s get none', () => {
    const tuning = { ...UNTUNED, headersMs: 5_000, totalMs: 9_000 };
    expect(tuneCall(call, tuning, standard).deadlines).toEqual({ headersMs: 5_000, totalMs: 9_000 });
    const own = { ...call, deadlines: { totalMs: 1_000 } };
    expect(tuneCall(own, tuning, standard).deadlines).toEqual({ headersMs: 5_000, totalMs: 1_000 });
    expect(tuneCall({ ...call, operation: 'token' }, tuning, standard).deadlines).toBeUndefined();
  });

  test('gets a share of every budget, at least one call and never more than it had', () => {
    const tuning = { ...UNTUNED, rateSharePercent: 30 };
    expect(tuneCall(call, tuning, standard).budgets).toEqual([{ maxRequests: 30, windowMs: 60_000 }]);
    const budgets = [
      { maxRequests: 10, windowMs: 1_000 },
      { maxRequests: 2, windowMs: 60_000 },
    ];
    expect(tuneCall({ ...call, budgets }, tuning, standard).budgets).toEqual([
      { maxRequests: 3, windowMs: 1_000 },
      { maxRequests: 1, windowMs: 60_000 },
    ]);
  });
});
