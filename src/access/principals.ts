import type { AuditActor, AuditOrigin } from '../audit/types.ts';
import type { Principal } from './types.ts';

/** Who asks for a change, and from where, for the audit log. */
export interface Asker {
  readonly principal: Principal;
  readonly origin?: AuditOrigin;
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

/** A principal as the audit log names it. */
export function actorOf(principal: Principal): AuditActor {
  switch (principal.kind) {
    case 'user':
      return { kind: 'user', id: principal.userId };
    case 'apiKey':
      return { kind: 'apiKey', id: principal.apiKeyId, userId: principal.userId };
    case 'installation':
      return { kind: 'installation', id: principal.name };
  }
}
