import type { Connector } from '../format.ts';
import { refersTo } from '../template.ts';
import type { TemplateNames } from '../templateCheck.ts';
import type { Report } from './report.ts';
import { urlFault } from './urlFault.ts';

/** A whole address that credentials are sent to: what people fill in must not lead it to another host. */
export function checkAddress(
  report: Report,
  path: readonly (string | number)[],
  text: string,
  names: TemplateNames,
  { connection }: Connector,
): void {
  const before = report.problems.length;
  report.template(path, text, names);
  if (report.problems.length > before) return;
  // Where it starts with a value, that is a whole address, which is checked when it is given.
  const fault = text.startsWith('{{') ? null : urlFault(text.replaceAll(/\{\{.*?\}\}/g, 'x'));
  if (fault !== null) report.add(path, `${fault} Got ${JSON.stringify(text)}.`);
  for (const field of connection) {
    const free = field.type === 'string' && field.pattern === undefined && refersTo(text, `config.${field.name}`);
    if (free)
      report.add(
        path,
        `is built from the connection field ${JSON.stringify(field.name)}, which takes any text: it could lead to another host. Give the field a "pattern", or "type: url".`,
      );
  }
}
