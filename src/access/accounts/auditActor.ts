import type { AuditActor } from '../../audit/types.ts';
import type { Principal } from '../types.ts';

/** How the audit log names who made a request. */
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
