import type { TemplateNames } from '../templateCheck.ts';
import { parseTemplate } from '../templateParser.ts';
import type { Report } from './report.ts';

/** A path that requests are made of: relative to the base address, with its parameters elsewhere. */
export function checkRequestPath(
  report: Report,
  path: readonly (string | number)[],
  text: string,
  names: TemplateNames,
): void {
  const before = report.problems.length;
  report.template(path, text, names);
  if (report.problems.length > before) return;
  const literal = parseTemplate(text)
    .map((part) => (typeof part === 'string' ? part : 'x'))
    .join('');
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(literal))
    report.add(
      path,
      `takes a path under baseUrl such as "/users", not a whole address: credentials are sent to baseUrl only. Got ${JSON.stringify(text)}.`,
    );
  else if (!text.startsWith('/') && !text.startsWith('{{'))
    report.add(path, `takes a path that starts with "/". Got ${JSON.stringify(text)}.`);
  else if (/[?#]/.test(literal))
    report.add(path, 'takes a path without "?" and "#"; put query parameters under "params".');
  else if (/(^|\/)\.\.?(\/|$)/.test(literal)) report.add(path, 'takes a path without "." and ".." in it.');
}
