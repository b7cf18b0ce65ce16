import type { AuditActor, AuditOrigin } from '../../audit/types.ts';
import type { Principal } from '../types.ts';

/** Who does something, and where the request came from. */
export interface Actor {
  readonly principal: Principal;
  readonly origin?: AuditOrigin;
}

/** As the audit log names them. */
export function auditActor(principal: Principal): AuditActor {
  switch (principal.kind) {
    case 'user':
      return { kind: 'user', id: principal.userId };
    case 'apiKey':
      return { kind: 'apiKey', id: principal.apiKeyId, userId: principal.userId };
    case 'installation':
      return { kind: 'installation', id: principal.name };
  }
}

/** The user behind it; null for the installation itself. */
export function userIdOf(principal: Principal): string | null {
  return principal.kind === 'installation' ? null : principal.userId;
}

/** What is stored as the maker of a thing: the id of a user, or the name of the way in. */
export function makerOf(principal: Principal): string {
  return principal.kind === 'installation' ? principal.name : principal.userId;
}

/** Whoever sits at the machine itself. */
export const COMMAND_LINE: Principal = { kind: 'installation', name: 'command line' };

/** Names a principal among all others: for limits, counts and idempotency keys of its own. */
export function principalKey(principal: Principal): string {
  switch (principal.kind) {
    case 'user':
      return `user:${principal.userId}`;
    case 'apiKey':
      return `apiKey:${principal.apiKeyId}`;
    case 'installation':
      return `installation:${principal.name}`;
  }
}
