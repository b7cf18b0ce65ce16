import { invalidInput, suggestion } from '../../core/input.ts';
import { isPermission, PERMISSIONS, type Permission } from '../permissions.ts';

export const PERMISSION_NAMES = Object.keys(PERMISSIONS) as readonly Permission[];

/** `integrations:*` for every noun, and `*`. */
const PATTERNS: readonly string[] = ['*', ...new Set(PERMISSION_NAMES.map((name) => `${name.split(':')[0]}:*`))];

/** Whether it is asked about one integration, so that rules may be limited to some. */
export function isAboutIntegrations(permission: Permission): boolean {
  return PERMISSIONS[permission].scope === 'integration';
}

/**
 * The permission of a full name such as `records:read`, or of a verb alone, which is about integrations: `read` is
 * `integrations:read`.
 * @throws InvalidInputError with a suggestion when there is no such permission
 */
export function permissionNamed(text: string): Permission {
  const name = text.includes(':') ? text : `integrations:${text}`;
  if (isPermission(name)) return name;
  const known = text.includes(':')
    ? PERMISSION_NAMES
    : PERMISSION_NAMES.filter((one) => one.startsWith('integrations:')).map((one) => one.split(':')[1]!);
  const detail = `There is no permission ${JSON.stringify(text.slice(0, 100))}.${suggestion(text, known) || ` Known are: ${known.join(', ')}.`}`;
  throw invalidInput('The question', [{ pointer: '/permission', detail }]);
}

/** What a name or pattern stands for; nothing for one that this version does not know. */
export function permissionsMatching(pattern: string): readonly Permission[] {
  if (pattern === '*') return PERMISSION_NAMES;
  if (pattern.endsWith(':*')) return PERMISSION_NAMES.filter((name) => name.startsWith(pattern.slice(0, -1)));
  return isPermission(pattern) ? [pattern] : [];
}

/** Why the text is neither a permission nor a pattern; null when it is one. */
export function patternProblem(text: string): string | null {
  if (isPermission(text) || PATTERNS.includes(text)) return null;
  const known = [...PERMISSION_NAMES, ...PATTERNS];
  return `There is no permission ${JSON.stringify(text)}.${suggestion(text, known) || ` Known are: ${known.join(', ')}.`}`;
}
