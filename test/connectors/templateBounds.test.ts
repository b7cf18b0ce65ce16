import { describe, expect, it } from 'vitest';
import { StreamReadError } from '../../src/connectors/errors.ts';
import { render } from '../../src/connectors/template.ts';
import { templateProblems } from '../../src/connectors/templateCheck.ts';
import { serveApi } from './support/api.ts';
import { connectorWith, openSession, readPages, streamOf } from './support/session.ts';

const KIB = 1024;
const scope = {
  config: { long: 'x'.repeat(60 * KIB), longer: 'x'.repeat(65 * KIB), empty: '', many: Array(1000).fill('ab') },
};
const grown = `{{ config.long ${"| replace('x', 'xxxxxxxxxx') ".repeat(20)}}}`;

describe('a template', () => {
  it.each([
    ['a replacement that grows', grown, 'replace" would become longer than 65536'],
    ['a replacement by a long text', '{{ config.long | replace("x", config.long) }}', 'would become longer than 65536'],
    ['a list joined by a long text', '{{ config.many | join(config.long) }}', 'would become longer than 65536'],
    [
      'a fallback of long texts',
      '{{ config.gone | default(config.long, config.long) }}',
      'would become longer than 65536',
    ],
    ['an encoding that grows', '{{ config.long | base64 }}', 'base64" gives more than 65536'],
    ['a value that is long already', '{{ config.longer | trim }}', 'trim" has more than 65536'],
    ['values put together', '{{ config.long }}-{{ config.long }}', 'longer than 65536 characters at {{ config.long }}'],
    ['an empty text replaced', "{{ config.long | replace(config.empty, 'y') }}", 'searched for an empty text'],
    ['a date beyond all dates', "{{ '2024-01-01' | plus('999999999d') }}", 'beyond the dates that there are'],
  ])('refuses %s, without the value', (_name, text, message) => {
    const rendering = () => render(text, scope);
    expect(rendering).toThrow(TypeError);
    expect(rendering).toThrow(message);
    expect(rendering).not.toThrow('x'.repeat(40));
  });

  it('takes what stays within the bound, and hands a lone value on whatever its length', () => {
    expect(render("{{ config.long | replace('x', 'y') }}", scope)).toBe('y'.repeat(60 * KIB));
    expect(render("{{ 'a--b' | replace('--', '$&') }}", scope)).toBe('a$&b');
    expect(render('{{ config.longer }}', scope)).toBe(scope.config.longer);
    expect(render("{{ config.longer | default('') }}", scope)).toBe(scope.config.longer);
  });

  it('refuses a lone value that is too long for an address', () => {
    expect(() => render('{{ config.longer }}', scope, encodeURIComponent)).toThrow('has more than 65536 characters');
  });

  it('that replaces an empty text is refused when it is loaded', () => {
    expect(templateProblems("{{ config.long | replace('', 'y') }}", { config: true })).toEqual([
      'gives the filter "replace" ""; it takes a text to search for that is not empty.',
    ]);
  });
});

it('a record that a transformation cannot take is told as a bad answer', async () => {
  const api = await serveApi(() => ({ body: [{ id: 1, size: 'x'.repeat(70 * KIB) }] }));
  const transformations = [{ add: { field: 'short', value: '{{ record.size | trim }}' } }];
  const connector = connectorWith({ streams: [streamOf({ transformations })] });
  const reading = readPages(openSession(connector, { connection: { url: api.url } }), 'items');
  await expect(reading).rejects.toThrow(StreamReadError);
});
