import type { VisibleIntegrations } from '../integrations/visibleIntegrations.ts';
import type { Permission } from './permissions.ts';
import type { Decision, IntegrationRef } from './types.ts';

/** Answers what users may do, from their roles, grants, denies and break-glass as they are now. */
export interface Decider {
  /** Refuses everything to a user who is not active. `integration`: null for a permission about the installation. */
  decide(userId: string, permission: Permission, integration: IntegrationRef | null): Decision | Promise<Decision>;
  /** For which integrations `decide` allows it. */
  visibleFilter(userId: string, permission: Permission): VisibleIntegrations | Promise<VisibleIntegrations>;
}
