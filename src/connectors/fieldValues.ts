import { urlFault } from './checks/urlFault.ts';
import type { ConnectionField, CredentialField } from './format/parts.ts';
import { MAX_MATCHED_CHARS, matches } from './pattern.ts';

/** What is wrong with the value of a connection field, or null. */
export function connectionValueProblem(field: ConnectionField, value: unknown): string | null {
  switch (field.type) {
    case 'integer':
      return typeof value === 'number' && Number.isSafeInteger(value) ? null : takes(field, 'a whole number');
    case 'boolean':
      return typeof value === 'boolean' ? null : takes(field, 'true or false');
    default: {
      if (typeof value !== 'string' || value === '') return takes(field, 'a text');
      const fault = field.type === 'url' ? urlFault(value) : null;
      if (fault !== null) return fault;
      return fits(field, value) ? null : takes(field, field.hint ?? `a text that matches ${field.pattern}`);
    }
  }
}

/** What is wrong with a credential, or null. The value is never in the message. */
export function credentialValueProblem(field: CredentialField, value: string): string | null {
  if (value === '') return takes(field, 'a text that is not empty');
  if (value !== value.trim()) return 'has spaces or a line break around it; copy it again without them.';
  if (/[\r\n\0]/.test(value)) return 'has a line break in it; copy it again without.';
  if (/^(bearer|basic|token) /i.test(value) && !/ /.test(field.example ?? ''))
    return `starts with "${value.split(' ')[0]}"; leave that word out, it is added for you.`;
  if (fits(field, value)) return null;
  return `does not look like ${field.title}: it ${takes(field, field.hint ?? `a text that matches ${field.pattern}`)}`;
}

function fits(field: { pattern?: string }, value: string): boolean {
  return field.pattern === undefined || (value.length <= MAX_MATCHED_CHARS && matches(field.pattern, value));
}

function takes(field: { example?: string }, what: string): string {
  return `takes ${what}${field.example === undefined ? '' : `, such as ${JSON.stringify(field.example)}`}.`;
}
