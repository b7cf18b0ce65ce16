import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/core/errors.ts';
import { PROBLEM_TYPES, problemHeaders, toAppError, toProblem } from '../../src/http/problem.ts';
import { RateBudgetExceededError } from '../../src/rateLimits/errors.ts';

/** Every `code` that a subclass of AppError has in the sources, by class. */
function codesInSources(): Map<string, string> {
  const codes = new Map<string, string>();
  const root = new URL('../../src/', import.meta.url).pathname;
  for (const file of globSync('**/*.ts', { cwd: root })) {
    const classes = readFileSync(root + file, 'utf8')
      .split(/^export (?:abstract )?class /m)
      .slice(1);
    for (const text of classes) {
      const [, name, base] = /^(\w+) extends (\w+)/.exec(text) ?? [];
      const code = /readonly code = '([A-Z_]+)'/.exec(text)?.[1];
      if (name !== undefined && base !== 'Error' && code !== undefined) codes.set(name, code);
    }
  }
  return codes;
}

describe('the error codes', () => {
  const codes = codesInSources();

  it('are all known to the HTTP API, and each is one class', () => {
    expect(codes.size).toBeGreaterThan(30);
    expect([...codes.values()].sort()).toEqual(Object.keys(PROBLEM_TYPES).sort());
  });

  it('are the documented ones', () => {
    const names = new Map([...codes].map(([name, code]) => [code, name]));
    const rows = Object.entries(PROBLEM_TYPES).map(
      ([code, { status, title, remedy }]) =>
        `| \`${code}\` | \`${names.get(code)}\` | ${status} | ${title}. | ${remedy} |`,
    );
    const documented = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
    const lines = documented.split('\n').filter((line) => line.startsWith('| `'));
    expect(lines.map((line) => line.replaceAll(/ +/g, ' '))).toEqual(rows);
  });
});

describe('a problem', () => {
  it('says nothing of what went wrong inside', () => {
    const error = toAppError(new Error('password=hunter2 at /srv/secret.ts:1'));
    const problem = toProblem(error, 'req_1');
    expect(problem).toMatchObject({ status: 500, code: 'INTERNAL', requestId: 'req_1' });
    expect(JSON.stringify(problem)).not.toMatch(/hunter2|secret\.ts/);
    for (const thrown of [null, undefined, 'text', { code: 'FST_ERR_UNHEARD_OF', statusCode: 400 }])
      expect(toProblem(toAppError(thrown), 'req_1').status).toBe(500);
  });

  it('of a code that is not listed is a 500 as well', () => {
    class StrangeError extends AppError {
      readonly code = 'constructor';
    }
    expect(toProblem(new StrangeError('x'), 'req_1')).toMatchObject({ status: 500, code: 'INTERNAL' });
  });

  it('tells when to try again', () => {
    expect(problemHeaders(new RateBudgetExceededError('used up', 1_200))).toEqual({ 'retry-after': '2' });
  });
});
