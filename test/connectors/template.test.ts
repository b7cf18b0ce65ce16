import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { render, renderJson } from '../../src/connectors/template.ts';
import { templateProblems } from '../../src/connectors/templateCheck.ts';
import { TEMPLATE_FILTERS } from '../../src/connectors/templateFilters.ts';
import { parseTemplate } from '../../src/connectors/templateParser.ts';
import type { JsonValue } from '../../src/core/json.ts';

const scope = {
  config: { shop: 'Acme & Co', empty: '', port: 8080 },
  parent: { id: 7, path: 'a/b c', tags: ['x', 'y'], none: null, when: '2024-05-01T12:30:00.250+02:00' },
  now: '2024-05-01T10:30:00.250Z',
};

describe('a template', () => {
  it.each<[string, JsonValue | undefined]>([
    ['plain', 'plain'],
    ['', ''],
    ['{{ config.shop }}', 'Acme & Co'],
    ['shop {{config.shop}}!', 'shop Acme & Co!'],
    ['{{ parent.id }}', 7],
    ['#{{ parent.id }}', '#7'],
    ['{{ parent.tags }}', ['x', 'y']],
    ['{{ parent.tags | join }}', 'x,y'],
    ["{{ parent.tags | join(' ') }}", 'x y'],
    ['{{ parent.tags.1 }}', 'y'],
    ['{{ parent.none }}', undefined],
    ['{{ parent.missing.deeper }}', undefined],
    ['x{{ parent.missing }}', undefined],
    ["{{ parent.missing | default('d') }}", 'd'],
    ["{{ config.empty | default('d') }}", 'd'],
    ["{{ parent.missing | default('https://', config.port, '.example') }}", 'https://8080.example'],
    ['{{ parent.missing | default(parent.gone) }}', undefined],
    ['{{ parent.missing | upper }}', undefined],
    ["{{ 'a}}b' }}", 'a}}b'],
    ['{{ 5 }}', 5],
    ['{{ true }}', true],
    ['{{ config.shop | urlencode }}', 'Acme%20%26%20Co'],
    ['{{ parent.path | path }}', 'a/b%20c'],
    ['{{ config.shop | base64 }}', 'QWNtZSAmIENv'],
    ["{{ config.shop | replace(' & ', '-') | lower }}", 'acme-co'],
    ["{{ ' x ' | trim | upper }}", 'X'],
    ['{{ parent.id | string }}', '7'],
    ["{{ '42' | number }}", 42],
    ['{{ parent.tags | json }}', '["x","y"]'],
    ['{{ parent.when | to_epoch }}', 1714559400],
    ['{{ parent.when | to_epoch_ms }}', 1714559400250],
    ["{{ parent.when | date('rfc3339') }}", '2024-05-01T10:30:00Z'],
    ["{{ parent.when | date('rfc3339_ms') }}", '2024-05-01T10:30:00.250Z'],
    ["{{ parent.when | date('date') }}", '2024-05-01'],
    ["{{ 1714559400 | date('rfc3339') }}", '2024-05-01T10:30:00Z'],
    ["{{ '1714559400250' | date('epoch_seconds') }}", 1714559400],
    ["{{ now | minus('1d') | date('date') }}", '2024-04-30'],
    ["{{ now | plus('90m') | date('rfc3339') }}", '2024-05-01T12:00:00Z'],
  ])('%s', (text, value) => {
    expect(render(text, scope)).toEqual(value);
  });

  it('encodes what it inserts where it is asked to, but never twice', () => {
    expect(render('/a/{{ parent.path }}/{{ parent.path | path }}', scope, encodeURIComponent)).toBe(
      '/a/a%2Fb%20c/a/b%20c',
    );
  });

  it('inside JSON keeps types and leaves out what is missing', () => {
    const body = {
      id: '{{ parent.id }}',
      gone: '{{ parent.missing }}',
      list: ['{{ parent.missing }}', 1, { a: '{{ now }}' }],
    };
    expect(renderJson(body, scope)).toEqual({ id: 7, list: [1, { a: scope.now }] });
  });

  it.each([
    ['x{{ parent.tags }}', '{{ parent.tags }} is not a text, a number or true/false; take one field of it'],
    ['{{ config.shop | to_epoch }}', '{{ config.shop | to_epoch }}: the value given to "to_epoch" is not a date.'],
    ['{{ config.shop | number }}', 'the value given to "number" is not a number.'],
    ['{{ config.shop | join }}', 'the value given to "join" is not a list.'],
  ])('%s fails by name, without the value', (text, message) => {
    expect(() => render(text, scope)).toThrow(message);
    expect(() => render(text, scope)).not.toThrow('Acme');
  });

  it('never reaches what an object inherits', () => {
    for (const text of ['{{ parent.constructor }}', '{{ parent.__proto__.x }}', '{{ constructor.name }}'])
      expect(render(text, scope), text).toBeUndefined();
  });

  it.each([
    '{{ a | b | }}',
    '{{ a.. }}',
    '{{ a b }}',
    '{{ a(1) }}',
    '{{ a[0] }}',
    "{{ 'a }}",
    '{{ a | f( }}',
    '{{ a | f(1,) }}',
    '{{ 1 + 1 }}',
    '{{ a || b }}',
    '{{ {{ a }} }}',
  ])('%s is no template', (text) => {
    expect(() => parseTemplate(text)).toThrow(SyntaxError);
  });

  it('of any text is either read or refused, and what is read with known names can be rendered', () => {
    const fragment = fc.oneof(
      fc.constantFrom(
        '{{',
        '}}',
        '{{ config.shop }}',
        '| upper',
        '{{ parent.id | string }}',
        "'",
        '"',
        '(',
        ')',
        ',',
        ' ',
      ),
      fc.string({ maxLength: 5 }),
    );
    const names = { config: ['shop', 'empty', 'port'], parent: true, now: 'value' } as const;
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 8 }), (fragments) => {
        const text = fragments.join('');
        const problems = templateProblems(text, names);
        expect(problems.every((problem) => typeof problem === 'string' && problem.length > 0)).toBe(true);
        if (problems.length > 0) return;
        try {
          render(text, scope);
        } catch (error) {
          // A filter may not take the value; nothing else can go wrong.
          expect(error).toBeInstanceOf(TypeError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('of plain texts and a value puts them together', () => {
    const plain = fc.string().filter((text) => !text.includes('{') && !text.includes('}'));
    fc.assert(
      fc.property(plain, plain, fc.string(), (before, after, value) => {
        const rendered = render(`${before}{{ config.value }}${after}`, { config: { value } });
        expect(rendered).toBe(`${before}${value}${after}`);
      }),
    );
  });

  it('names every filter in the message about one that does not exist', () => {
    const [problem] = templateProblems('{{ now | urlenkode }}', { now: 'value' });
    expect(problem).toContain('Did you mean "urlencode"?');
    for (const name of Object.keys(TEMPLATE_FILTERS)) expect(problem).toContain(name);
  });
});
