import type { Permission } from '../permissions.ts';

/** A request that nobody approves is over after this. */
export const REQUEST_KEPT_MS = 24 * 3_600_000;
export const MAX_DURATION_SECONDS = 8 * 3_600;
export const MIN_REASON_CHARS = 10;

const CLOSED_NOUNS: readonly string[] = ['audit', 'apiKeys', 'breakGlass'];

/**
 * What break-glass never opens: the log that tells of it, the keys and accounts and roles that would outlast it, and
 * break-glass itself.
 */
export function isClosedToBreakGlass(permission: Permission): boolean {
  return (
    CLOSED_NOUNS.includes(permission.split(':')[0]!) || permission === 'roles:write' || permission === 'users:write'
  );
}
