import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import { type IntegrationLog, LOG_LEVELS, SEVERITIES } from '../../../src/logging/types.ts';

/** Few enough that searches hit, with what LIKE, JSON and letters of other alphabets make difficult. */
const words = ['timeout', 'TimeOut', 'sync', '50%', 'a_b', 'a\\b', 'Ünï', 'ünï', 'İ', 'ß', '😀x', '"q"', '500', ''];
const names = ['sync.started', 'sync.failed', 'http_answered', 'op_1', 'op_12', 'op%2', '日本'];
const keys = ['status', 'http', 'http.status', 'a b', '0', 'tags', '__proto__'];

const word = fc.constantFrom(...words);
const name = fc.constantFrom(...names);
const number = fc.oneof(
  fc.integer({ min: -5, max: 5 }),
  fc.constantFrom(200, 404, 500, 500.5, 1e21, 1e-7, 9007199254740991, -0),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

const scalar: fc.Arbitrary<JsonValue> = fc.oneof(word, name, number, fc.boolean(), fc.constant(null));
const attribute: fc.Arbitrary<JsonValue> = fc.oneof(
  { weight: 4, arbitrary: scalar },
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom(...keys), scalar, { maxKeys: 3 }),
  fc.array(fc.array(scalar, { maxLength: 2 }), { maxLength: 2 }),
);

// As read from jsonb: keys are own properties, and -0 is 0.
const attributes: fc.Arbitrary<JsonObject> = fc
  .array(fc.tuple(fc.constantFrom(...keys), attribute), { maxLength: 4 })
  .map((entries) => JSON.parse(JSON.stringify(Object.fromEntries(entries))) as JsonObject);

const baseMs = Date.UTC(2026, 0, 15, 12);

export const anyLog: fc.Arbitrary<IntegrationLog> = fc
  .record({
    seq: fc.integer({ min: 1, max: 1_000_000 }),
    atMs: fc.integer({ min: baseMs - 100, max: baseMs + 100 }),
    integrationId: fc.constantFrom('system', 'int_1', 'int_12'),
    level: fc.constantFrom(...LOG_LEVELS),
    message: fc.array(word, { maxLength: 4 }).map((parts) => parts.join(' ')),
    eventName: fc.option(name),
    operationId: fc.option(name),
    requestId: fc.option(name),
    traceId: fc.option(name),
    spanId: fc.option(name),
    attributes,
  })
  .map(({ atMs, ...rest }) => ({
    ...rest,
    severityNumber: SEVERITIES[rest.level],
    timestamp: new Date(atMs).toISOString(),
    observedTimestamp: new Date(atMs).toISOString(),
  }));

const bare = fc.constantFrom(
  'timeout',
  'time*',
  '*out',
  'T?me*',
  'sync',
  'sy*c',
  '50',
  'a_b',
  'Ünï',
  'ünï',
  'x?x',
  'op_1*',
  'op_1?',
  '500',
  '500.5',
  '0',
  'true',
  'null',
  '日本',
  '12',
  '00012',
);
const quoted = fc.constantFrom(
  '50%',
  'a_b',
  'a\\\\b',
  'ünï',
  'İ',
  'ß',
  '😀x',
  '\\"q\\"',
  'time out',
  'sync.failed',
  '',
  '500',
  'op%2',
);
const value = fc.oneof(
  bare,
  quoted.map((text) => `"${text}"`),
);
const comparison = fc.constantFrom(':', ':=', ':>', ':>=', ':<', ':<=');
const compared = fc.constantFrom(':>', ':>=', ':<', ':<=');
const aNumber = fc.constantFrom('-3', '0', '2.5', '404', '500', '500.5', '9007199254740993');
const path = fc.constantFrom(
  'status',
  'http',
  'http.status',
  'tags',
  'http.0',
  'tags.0',
  '__proto__',
  'missing',
  'http.http.status',
);
const time = fc.constantFrom('now', 'now-1s', '"2026-01-15T12:00:00Z"', '"2026-01-15T12:00:00.050Z"', '2026-01-15');

const term = fc.oneof(
  value,
  fc.tuple(comparison, fc.constantFrom(...LOG_LEVELS)).map(([is, level]) => `level${is}${level}`),
  fc
    .tuple(fc.constantFrom('integration', 'event', 'operation', 'request', 'trace', 'span', 'message'), value)
    .map(([field, text]) => `${field}:${text}`),
  fc.constantFrom('event', 'operation', 'trace', 'integration').map((field) => `${field}:*`),
  fc.tuple(compared, time).map(([is, text]) => `time${is}${text}`),
  fc
    .tuple(fc.constantFrom('seq', 'attributes.status', 'attributes.http.status'), comparison, aNumber)
    .map((parts) => parts.join('')),
  fc.tuple(path, value).map(([field, text]) => `attributes.${field}:${text}`),
  path.map((field) => `attributes.${field}:*`),
  fc.constantFrom('attributes.status:[400 TO 500]', 'attributes.status:{404 TO 501}', 'seq:[1 TO 500000}'),
);

/** Searches in the language itself, so that the parser is tried too. */
export const anyQuery: fc.Arbitrary<string> = fc.letrec<{ query: string; group: string }>((tie) => ({
  query: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    term,
    fc.tuple(tie('group'), fc.constantFrom(' AND ', ' OR ', ' '), tie('group')).map((parts) => parts.join('')),
    fc
      .tuple(
        tie('group'),
        fc.constantFrom(' AND ', ' OR '),
        tie('group'),
        fc.constantFrom(' AND ', ' OR '),
        tie('group'),
      )
      .map((parts) => parts.join('')),
  ),
  group: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    term,
    tie('query').map((query) => `(${query})`),
    tie('query').map((query) => `NOT (${query})`),
    term.map((one) => `NOT ${one}`),
  ),
})).query;

export const nowMs: number = baseMs;
