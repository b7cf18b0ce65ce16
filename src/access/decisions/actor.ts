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
