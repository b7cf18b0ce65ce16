import { render, type TemplateScope } from './template.ts';

type Headers = Readonly<Record<string, string>>;

/** Fills the described headers in. Lower-case names; those whose template gives nothing are left out. */
export function renderHeaders(headers: Headers, scope: TemplateScope): Record<string, string> {
  const filled = Object.entries(headers).flatMap(([name, template]) => {
    const value = render(template, scope);
    return value === undefined ? [] : [[name, String(value)] as const];
  });
  return literalHeaders(Object.fromEntries(filled));
}

/**
 * Headers whose values come from outside, such as a credential or a page token: they are sent as they are, also
 * where they look like a template.
 * @throws TypeError without the value, which may be a secret
 */
export function literalHeaders(headers: Headers): Record<string, string> {
  const checked: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    // A line break would start another header.
    if (/[\r\n\0]/.test(value)) throw new TypeError(`the header ${name} has a line break in its value.`);
    checked[name.toLowerCase()] = value;
  }
  return checked;
}
