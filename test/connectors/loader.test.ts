import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InvalidConnectorError } from '../../src/connectors/errors.ts';
import { authModeSchema } from '../../src/connectors/format/auth.ts';
import { paginationSchema } from '../../src/connectors/format/pagination.ts';
import { connectorSchema } from '../../src/connectors/format.ts';
import { parseConnector, validateConnectorFile } from '../../src/connectors/loader.ts';
import { connectorFor, validateIntegrationInput } from '../../src/connectors/resolve.ts';
import { TEMPLATE_FILTERS } from '../../src/connectors/templateFilters.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { BROKEN, VALID } from './support/brokenConnectors.ts';

const DIRECTORY = fileURLToPath(new URL('../../connectors/', import.meta.url));

function problemsOf(source: string): string[] {
  try {
    parseConnector(source, 'acme.yaml');
  } catch (error) {
    if (error instanceof InvalidConnectorError)
      return error.problems.map(({ line, column, path, message }) => `${line}:${column} ${path.join('.')}: ${message}`);
    throw error;
  }
  return [];
}

describe('the connectors that come with the product', () => {
  it('are these, and each is valid', async () => {
    const files = (await readdir(DIRECTORY)).sort();
    expect(files).toEqual(
      [
        'bluesky',
        'github',
        'http',
        'hubspot',
        'mastodon',
        'notion',
        'shopify',
        'slack',
        'stripe',
        'twitter',
        'wordpress',
      ].map((platform) => `${platform}.yaml`),
    );
    for (const file of files) {
      const connector = await validateConnectorFile(join(DIRECTORY, file));
      // Parsed once more it stays the same: descriptions of platform http are merged from parsed ones.
      expect(connectorSchema.parse(connector)).toEqual(connector);
      expect(connector.streams.length).toBeGreaterThanOrEqual(connector.platform === 'http' ? 0 : 5);
      for (const stream of connector.streams) expect(stream.docsUrl, `${file} ${stream.name}`).toMatch(/^https:/);
    }
  });
});

describe('a broken connector is refused with every problem and its place:', () => {
  it.each(BROKEN)('$name', ({ change: [from, to], problems }) => {
    expect(VALID).toContain(from);
    expect(problemsOf(VALID.replace(from, () => to))).toEqual(problems);
  });

  it('the same file is valid otherwise', () => {
    expect(problemsOf(VALID)).toEqual([]);
  });

  it('an empty file', () => {
    expect(problemsOf('')[0]).toBe('1:1 platform: is required (a text).');
  });

  it('a file that is one text', () => {
    expect(problemsOf('hello')).toEqual(['1:1 : takes a map of keys and values. Got "hello".']);
  });

  it('a file that is too large', () => {
    const message = `1:1 : has ${LIMITS.connectorBytes + 10} bytes; a connector takes at most ${LIMITS.connectorBytes}.`;
    expect(problemsOf('#'.repeat(LIMITS.connectorBytes + 10))).toEqual([message]);
  });

  it('a bomb of aliases', () => {
    const lines = Array.from(
      { length: 30 },
      (_, index) => `k${index + 1}: &a${index + 1} [${`*a${index}, `.repeat(9)}]`,
    );
    const problems = problemsOf(`k0: &a0 x\n${lines.join('\n')}`);
    expect(problems[0]).toBe('2:10 : uses the alias "*a0"; a connector is plain data, so repeat the value.');
  });

  it('a hundred thousand brackets', () => {
    const problems = problemsOf(`streams: ${'['.repeat(100_000)}`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toBe('1:1 : has more than 10000 words and marks; no connector needs as many.');
    expect(problemsOf(`streams: ${'['.repeat(8_000)}`)[0]).toMatch(/is nested too deeply|is not YAML/);
  });

  it('the message has all of it, one line each', () => {
    const source = VALID.replace('title: Acme', 'titel: Acme').replace('path: /me', 'pth: /me');
    expect(() => parseConnector(source, 'acme.yaml')).toThrow(
      /^The connector is not valid\.\nacme\.yaml:1:1 title: .*\nacme\.yaml:2:1 titel: .*\nacme\.yaml:29:1 check\.path: .*\nacme\.yaml:30:3 check\.pth: /,
    );
  });
});

describe('the documentation', () => {
  const document = readFile(new URL('../../docs/connectors.md', import.meta.url), 'utf8');

  it('has a whole example that is valid', async () => {
    const example = /```yaml\n(.*?)```/s.exec(await document)![1]!;
    expect(parseConnector(example, 'acme.yaml').streams).toHaveLength(2);
  });

  it('has an example of an API without a file that is taken', async () => {
    const { credentials, configuration } = JSON.parse(/```json\n(.*?)```/s.exec(await document)![1]!);
    const http = connectorFor(await validateConnectorFile(join(DIRECTORY, 'http.yaml')), configuration);
    expect(validateIntegrationInput(http, { credentials, configuration })).toEqual([]);
  });

  it('names every filter, auth type and kind of pagination', async () => {
    const text = await document;
    const types = [...authModeSchema.options, ...paginationSchema.options].map(({ shape }) => shape.type.value);
    for (const name of [...Object.keys(TEMPLATE_FILTERS), ...types])
      expect(text, name).toMatch(new RegExp(`\`${name}[\`(]`));
  });
});

describe('a connector file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'connectors-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('is called as its platform', async () => {
    await writeFile(join(folder, 'other.yaml'), VALID);
    await expect(validateConnectorFile(join(folder, 'other.yaml'))).rejects.toThrow(
      'platform: is "acme", so the file must be called acme.yaml.',
    );
    await writeFile(join(folder, 'acme.yaml'), VALID);
    expect((await validateConnectorFile(join(folder, 'acme.yaml'))).title).toBe('Acme');
  });
});
