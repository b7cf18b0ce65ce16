import { describe, expect, it } from 'vitest';
import { InvalidLogQueryError } from '../../../src/logging/search/errors.ts';
import { filterPredicate } from '../../../src/logging/search/matches.ts';
import { parseLogQuery } from '../../../src/logging/search/parseQuery.ts';
import type { IntegrationLog } from '../../../src/logging/types.ts';

const nowMs = Date.UTC(2026, 0, 15, 12);

const log: IntegrationLog = {
  seq: 1200,
  timestamp: '2026-01-15T11:50:00.000Z',
  observedTimestamp: '2026-01-15T11:50:00.000Z',
  integrationId: 'int_1',
  level: 'error',
  severityNumber: 17,
  message: 'Connection to api.example.com timed out after 30 s (50% of the budget)',
  eventName: 'sync.failed',
  operationId: 'op_1',
  requestId: null,
  traceId: null,
  spanId: null,
  attributes: {
    status: 503,
    retried: true,
    http: { method: 'GET' },
    'net.peer': 'a.b',
    tags: ['eu', 'beta'],
    none: null,
  },
};

const finds = (query: string) => filterPredicate(parseLogQuery(query, nowMs))(log);

describe('a search', () => {
  it.each([
    '',
    'timed',
    'TIMED out',
    '"timed out after"',
    'time*after',
    'time? OR t?med',
    'level:error',
    'level:>=warn',
    'level:<critical',
    'level:>=warn AND NOT level:critical',
    'integration:int_1',
    'integration:int_*',
    'event:sync.failed',
    'event:sync.*',
    'operation:op_1 attributes.status:>=500',
    'attributes.status:503',
    'attributes.status:"503"',
    'attributes.status:[500 TO 599]',
    'attributes.status:{502 TO 504}',
    'attributes.retried:true',
    'attributes.none:null',
    'attributes.none:*',
    'attributes.http.method:GET',
    'attributes.net.peer:a.b',
    'attributes.tags:beta',
    '-attributes.tags:us',
    'NOT trace:*',
    'time:>=now-15m AND time:<now',
    'time:>=2026-01-15',
    'time:>="2026-01-15T11:49:59.999Z"',
    'seq:[1000 TO 1200]',
    '"50%"',
    // AND before OR, where the parser alone would read from left to right.
    'timed OR nothing AND nowhere',
    'nothing AND nowhere OR timed',
    '(nothing OR timed) AND (level:error OR level:warn)',
  ])('%s finds the record', (query) => {
    expect(finds(query)).toBe(true);
  });

  it.each([
    'nothing',
    '"out timed"',
    'time*before',
    'level:critical',
    'level:>error',
    'event:sync',
    'event:SYNC.failed',
    'integration:system',
    'attributes.status:<500',
    'attributes.status:{503 TO 504}',
    'attributes.missing:*',
    'attributes.retried:"true"',
    'attributes.tags.0:eu',
    'request:*',
    'time:<now-15m',
    'NOT (timed OR nothing)',
    '(timed OR nothing) AND nowhere',
    '"50_"',
  ])('%s does not', (query) => {
    expect(finds(query)).toBe(false);
  });

  it.each([
    ['levle:error', 0, /no field "levle".*Did you mean "level"/],
    ['timeout AND status:500', 12, /attributes\.status/],
    ['level:fatal', 6, /no level "fatal".*debug, verbose, info/],
    ['level:(warn OR error)', 6, /level:warn OR level:error/],
    ['/time.*out/', 0, /regular expressions/],
    ['a AND /x/', 6, /regular expressions/],
    ['*', 0, /wildcard/],
    ['timeout ??', 8, /wildcard/],
    ['a*b*c*d*e*f*gh', 0, /6 wildcards/],
    ['event:>sync', 0, /no order/],
    ['attributes.status:>high', 19, /compared with a number/],
    ['time:yesterday', 5, /not a time|direction/],
    ['time:>=yesterday', 7, /not a time/],
    ['time:>=2026-01-31T12:00:00Z', 20, /quotes/],
    ['level: error', 0, /has no value/],
    ['(timeout', 8, /ends before/],
    ['timeout AND', 11, /ends before/],
    ['http://x', 8, /ends before.*quotes/],
    ['a && b', 2, /AND, OR and NOT/],
    ['a\\*b', 1, /no escapes/],
    ['()', 1, /empty/],
    ['a\u0000b', 1, /control character/],
    ['\ud800', 0, /control character/],
    ['x'.repeat(501), 500, /501 characters/],
    [`${'('.repeat(20)}a${')'.repeat(20)}`, 13, /nested too deep/],
    [Array(60).fill('ab').join(' '), 150, /too many terms/],
  ])('%j is refused at its place', (query, position, message) => {
    let thrown: unknown;
    try {
      parseLogQuery(query, nowMs);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(InvalidLogQueryError);
    expect(thrown).toMatchObject({ message: expect.stringMatching(message), details: { position } });
  });
});
