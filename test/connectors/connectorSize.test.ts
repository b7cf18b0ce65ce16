import { describe, expect, it } from 'vitest';
import { InvalidConnectorError, MAX_PROBLEMS } from '../../src/connectors/errors.ts';
import { parseConnector } from '../../src/connectors/loader.ts';
import { ConnectorRegistry } from '../../src/connectors/registry.ts';
import { connectorFor } from '../../src/connectors/resolve.ts';
import { InvalidInputError } from '../../src/core/errors.ts';
import { suggestion } from '../../src/core/input.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { unheardAudit } from '../support/audit.ts';
import { useTestDatabase } from '../support/database.ts';
import { VALID } from './support/brokenConnectors.ts';
import { inLimitedTime } from './support/limitedTime.ts';
import { shippedConnector } from './support/session.ts';

const database = useTestDatabase();

function problemsOf(source: string): string[] {
  try {
    inLimitedTime(() => parseConnector(source, 'acme.yaml'));
  } catch (error) {
    if (error instanceof InvalidConnectorError) return error.problems.map(({ message }) => message);
    throw error;
  }
  return [];
}

/** As much of it as a connector may have. */
function filled(line: (index: number) => string): string {
  let text = '';
  for (let index = 0; ; index++) {
    const next = line(index);
    if (text.length + next.length > LIMITS.connectorBytes) return text;
    text += next;
  }
}

describe('a connector of the largest size is refused without much work', () => {
  it.each([
    ['keys', (index: number) => `k${index}: 1\n`],
    ['the same key', () => 'k: 1\n'],
    ['a list', () => '- 1\n'],
    ['brackets', () => '['],
    ['faults', () => 'a: }\n'],
    ['directives', () => '%a\n'],
    ['tags', () => '- !!a 1\n'],
  ])('made of %s', (_name, line) => {
    expect(problemsOf(filled(line))).toEqual(['has more than 10000 words and marks; no connector needs as many.']);
  });
});

describe('of very many problems only the first are looked for', () => {
  const lines = (line: (index: number) => string): string => Array.from({ length: 300 }, (_, i) => line(i)).join('');

  it.each([
    ['keys that are not known', lines((i) => `unknown${i}: 1\n`) + VALID],
    ['streams without their fields', VALID.replace('streams:\n', `streams:\n${lines(() => '  - {}\n')}`)],
    [
      'fields that nothing uses',
      VALID.replace('    fields:\n', `    fields:\n${lines((i) => `      - {name: f${i}, title: F}\n`)}`),
    ],
    [
      'streams of parents that do not exist',
      VALID.replace(
        'streams:\n',
        `streams:\n${lines((i) => `  - {name: s${i}, title: S, path: /s, primaryKey: id, parent: {stream: t${i}}}\n`)}`,
      ),
    ],
  ])('%s', (_name, source) => {
    const problems = problemsOf(source);
    expect(problems.length).toBeLessThanOrEqual(MAX_PROBLEMS + 1);
  });

  it('keys that stand twice, and aliases', () => {
    expect(problemsOf(lines(() => 'k: 1\n'))).toEqual(
      Array(MAX_PROBLEMS).fill('repeats a key of the same map; keep one of them.'),
    );
    expect(problemsOf(`- &a 1\n${lines(() => '- *a\n')}`)).toHaveLength(MAX_PROBLEMS);
    // A number and a text are one key once they are data.
    expect(problemsOf("1: a\n'1': b\n")).toEqual(['repeats a key of the same map; keep one of them.']);
  });

  it('a description that comes with an integration', async () => {
    const http = await shippedConnector('http');
    const keys = Array.from({ length: 20_000 }, (_, index) => [`k${index}`, 1]);
    const describe = () => inLimitedTime(() => connectorFor(http, { connector: Object.fromEntries(keys) }));
    expect(describe).toThrow(InvalidInputError);
    expect(describe).toThrow(`has more problems than the ${MAX_PROBLEMS} listed here.`);
  });
});

it('a very long word is not compared with known ones', () => {
  expect(suggestion('categroy', ['category'])).toBe(' Did you mean "category"?');
  expect(suggestion('k'.repeat(1000), ['k'.repeat(999)])).toBe('');
});

it('what was parsed to be saved is not parsed again to be used', async () => {
  const registry = new ConnectorRegistry(database.current, unheardAudit);
  const { connector } = await registry.save(VALID);
  expect(await registry.get('acme')).toBe(connector);
  const parsed = parseConnector(VALID, 'connector');
  expect((await registry.save(VALID, parsed)).connector).toBe(parsed);
  expect(await registry.get('acme')).toBe(parsed);
  await registry.remove('acme');
});
