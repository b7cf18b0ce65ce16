import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { classifierFor } from '../../src/connectors/classify.ts';
import { compileCondition } from '../../src/connectors/condition.ts';
import { connectionValueProblem, credentialValueProblem } from '../../src/connectors/fieldValues.ts';
import { connectionFieldSchema, credentialFieldSchema } from '../../src/connectors/format/parts.ts';
import { MAX_MATCHED_CHARS, matches, patternFault } from '../../src/connectors/pattern.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { inLimitedTime } from './support/limitedTime.ts';
import { connectorWith, shippedConnector } from './support/session.ts';

/** Patterns, each with a text on which an engine that goes back takes exponential or high polynomial time. */
const SLOW: readonly (readonly [string, string])[] = [
  ['^(a|a)*$', `${'a'.repeat(100)}!`],
  ['^(a|aa)+$', `${'a'.repeat(100)}!`],
  ['^([a-z]+)+$', `${'a'.repeat(100)}!`],
  ['^(\\d|\\w)*$', `${'1'.repeat(100)}!`],
  ['^(?:a|b|ab)*c$', 'ab'.repeat(100)],
  ['^.*.*.*.*.*x$', 'a'.repeat(2000)],
  ['^\\s*\\s*\\s*\\s*\\s*x$', ' '.repeat(2000)],
  ['(a|b)*a(a|b){0,200}[cd]$', 'ab'.repeat(2000)],
];

describe.each(SLOW)('the pattern %s', (pattern, text) => {
  const refused = { outcome: 'wrong_credentials', when: { message: pattern } } as const;
  const connector = connectorWith({ errors: { messagePath: 'message', rules: [refused] } });
  const answer = (message: string) => ({
    status: 400,
    headers: {},
    body: Buffer.from(JSON.stringify({ message })),
    url: 'https://api.example/',
    latencyMs: 1,
    attempts: 1,
  });

  it('is matched in linear time wherever a connector may have one', () => {
    const field = { name: 'f', title: 'F', pattern, hint: 'something else' };
    const results = inLimitedTime(() => [
      compileCondition({ path: 'a', matches: pattern })({ a: text }),
      connectionValueProblem(connectionFieldSchema.parse(field), text),
      credentialValueProblem(credentialFieldSchema.parse(field), `x${text}y`) === null,
      classifierFor(connector)(answer(text)).outcome,
    ]);
    expect(results).toEqual([false, 'takes something else.', false, 'invalid_request']);
  });
});

describe('a pattern', () => {
  it.each([
    ['^a(?=b)$', 'without look-around'],
    ['^(?!a)b$', 'without look-around'],
    ['^(?<=a)b$', 'without look-around'],
    ['^(a)\\1$', 'back-references'],
    ['^[a$', 'is not a regular expression: missing closing ]'],
    ['^(?:.{1,1000}){1,1000}$', 'is not a regular expression: expression too large'],
    ['^.{0,600}$', 'is too large a regular expression'],
  ])('%s is refused when it is loaded', (pattern, fault) => {
    expect(patternFault(pattern)).toContain(fault);
    const rule: JsonObject = { outcome: 'success', when: { body: { path: 'a', matches: pattern } } };
    expect(() => connectorWith({ errors: { rules: [rule] } })).toThrow(fault);
  });

  it('ends where the text ends, not before a last line break', () => {
    expect(matches('^[a-z]+$', 'abc')).toBe(true);
    expect(matches('^[a-z]+$', 'abc\n')).toBe(false);
    expect(matches('^[a-z]+$', 'abc\n.evil.example')).toBe(false);
    expect(matches('b|c', 'abc')).toBe(true);
    expect(matches('^ABC$', 'abc')).toBe(false);
    expect(matches('^ABC$', 'abc', { ignoreCase: true })).toBe(true);
  });

  it('is not tried on a value that is too long for it', () => {
    const field = connectionFieldSchema.parse({ name: 'f', title: 'F', pattern: '^a+$' });
    expect(connectionValueProblem(field, 'a'.repeat(MAX_MATCHED_CHARS))).toBeNull();
    expect(connectionValueProblem(field, `${'a'.repeat(MAX_MATCHED_CHARS)}!`)).toContain('takes a text that matches');
  });
});

it('every connector that comes with the product has patterns that can be used', async () => {
  const files = await readdir(new URL('../../connectors/', import.meta.url));
  const connectors = await Promise.all(files.map((file) => shippedConnector(file.replace('.yaml', ''))));
  expect(connectors.length).toBeGreaterThan(8);
  const slack = connectors.find(({ platform }) => platform === 'slack')!;
  const token = slack.auth[0]!.fields[0]!;
  expect(credentialValueProblem(token, 'xoxb-1234-abc')).toBeNull();
  expect(credentialValueProblem(token, 'xoxb_1234')).not.toBeNull();
});
