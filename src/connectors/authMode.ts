import type { InputProblem } from '../core/errors.ts';
import { suggestion } from '../core/input.ts';
import type { AuthMode } from './format/auth.ts';
import type { Connector } from './format.ts';
import { pointer } from './pointer.ts';

/**
 * The auth mode that credentials with these fields are for: the one named, else the one whose fields they are. When
 * they fit several, the one that uses the most of them, then the first of the connector.
 */
export function inferAuthMode(
  connector: Connector,
  fieldNames: readonly string[],
  authMode?: string,
): { mode: AuthMode } | { problems: InputProblem[] } {
  if (authMode !== undefined) {
    const names = connector.auth.map((mode) => mode.name);
    const named = connector.auth.find((mode) => mode.name === authMode);
    if (named === undefined) {
      const detail = `There is no auth mode ${JSON.stringify(authMode)} for ${connector.title}.${suggestion(authMode, names)} Known: ${names.join(', ')}.`;
      return { problems: [{ pointer: pointer('configuration', 'authMode'), detail }] };
    }
    const problems = fieldProblems(connector, named, fieldNames);
    return problems.length > 0 ? { problems } : { mode: named };
  }
  const shared = (mode: AuthMode): number => mode.fields.filter((field) => fieldNames.includes(field.name)).length;
  const byShared = [...connector.auth].sort((a, b) => shared(b) - shared(a));
  const fitting = byShared.find((mode) => fieldProblems(connector, mode, fieldNames).length === 0);
  if (fitting !== undefined) return { mode: fitting };
  return { problems: fieldProblems(connector, byShared[0]!, fieldNames) };
}

function fieldProblems(connector: Connector, mode: AuthMode, names: readonly string[]): InputProblem[] {
  const known = mode.fields.map((field) => field.name);
  const everyMode = connector.auth.flatMap((one) => one.fields.map((field) => field.name));
  const unknown = names.filter((name) => !known.includes(name));
  const missing = mode.fields.filter((field) => field.required && !names.includes(field.name));
  const others = connector.auth.filter((one) => one !== mode && one.fields.length > 0);
  const instead = others.map((one) => one.fields.map((field) => field.name).join(' and ')).join(', or ');
  return [
    ...unknown.map((name) => ({
      pointer: pointer('credentials', name),
      detail: everyMode.includes(name)
        ? `does not belong to the auth mode ${JSON.stringify(mode.name)}, which takes ${known.join(', ') || 'no credentials'}.`
        : `is not a credential of ${connector.title}.${suggestion(name, everyMode)} It takes ${known.join(', ') || 'none'}.`,
    })),
    ...missing.map((field) => ({
      pointer: pointer('credentials', field.name),
      detail: `is required: ${field.title}.${field.help === undefined ? '' : ` ${field.help}`}${instead === '' ? '' : ` Or give ${instead} instead.`}`,
    })),
  ];
}
