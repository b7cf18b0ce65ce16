import type { VisibleIntegrations } from '../integrations/visibleIntegrations.ts';
import type { Permission } from './permissions.ts';
import type { Decision, IntegrationRef, Principal } from './types.ts';

/**
 * Answers what principals may do: what the roles, grants, denies and break-glass of their user allow as they are now,
 * less what the scopes of an API key leave out. A user who is not active may do nothing.
 */
export interface Decider {
  /** `integration`: null for a permission about the installation. */
  decide(principal: Principal, permission: Permission, integration: IntegrationRef | null): Promise<Decision>;
  /** What the user may do about the installation, or could if they were not frozen or deactivated. */
  decideOnceActive(userId: string, permission: Permission): Promise<Decision>;
  /** For which integrations `decide` allows it. */
  visibleFilter(principal: Principal, permission: Permission): Promise<VisibleIntegrations>;
}

/** A user as such, whoever acts for them. */
export function asUser(userId: string): Principal {
  return { kind: 'user', userId, sessionId: '' };
}
