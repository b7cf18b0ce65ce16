import { connectionValueProblem } from '../fieldValues.ts';
import type { ConnectionField, CredentialField } from '../format/parts.ts';
import type { Connector } from '../format.ts';
import { matches } from '../pattern.ts';
import type { Report } from './report.ts';

/** What people fill in: names told apart, patterns that work, defaults and examples that fit them. */
export function checkFields(report: Report, connector: Connector): void {
  report.unique(['connection'], connector.connection, 'connection field');
  for (const [index, field] of connector.connection.entries()) {
    const path = ['connection', index];
    if (!checkPattern(report, path, field)) continue;
    for (const key of ['default', 'example'] as const) {
      const value = field[key];
      const problem =
        value === undefined
          ? null
          : connectionValueProblem({ ...field, example: undefined }, exampleValue(field, value));
      if (problem !== null) report.add([...path, key], `does not fit the field: it ${problem}`);
    }
  }
  report.unique(['auth'], connector.auth, 'auth mode');
  for (const [mode, { fields }] of connector.auth.entries()) {
    report.unique(['auth', mode, 'fields'], fields, 'credential field');
    for (const [index, field] of fields.entries()) {
      const path = ['auth', mode, 'fields', index];
      const pattern = checkPattern(report, path, field);
      if (
        pattern &&
        field.example !== undefined &&
        field.pattern !== undefined &&
        !matches(field.pattern, field.example)
      )
        report.add([...path, 'example'], `does not fit the field's pattern ${field.pattern}`);
    }
  }
}

/** Examples are written as text. */
function exampleValue(field: ConnectionField, value: string | number | boolean): string | number | boolean {
  if (typeof value !== 'string') return value;
  if (field.type === 'integer' && /^-?\d+$/.test(value)) return Number(value);
  return field.type === 'boolean' && /^(true|false)$/.test(value) ? value === 'true' : value;
}

function checkPattern(
  report: Report,
  path: readonly (string | number)[],
  field: ConnectionField | CredentialField,
): boolean {
  if (field.pattern === undefined) return true;
  if (!field.pattern.startsWith('^') || !field.pattern.endsWith('$')) {
    report.add(
      [...path, 'pattern'],
      `takes a pattern for the whole value: from "^" to "$". Got ${JSON.stringify(field.pattern)}.`,
    );
    return false;
  }
  return report.pattern([...path, 'pattern'], field.pattern);
}
