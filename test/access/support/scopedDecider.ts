import { scopesAllow, scopesReach } from '../../../src/access/apiKeys/scopes.ts';
import type { Decider } from '../../../src/access/decider.ts';
import { PERMISSIONS, type Permission } from '../../../src/access/permissions.ts';
import type { Decision, IntegrationRef } from '../../../src/access/types.ts';
import type { VisibleIntegrations } from '../../../src/integrations/visibleIntegrations.ts';

/** What users may do, by their ids. */
export interface UserDecider {
  decide(userId: string, permission: Permission, integration: IntegrationRef | null): Promise<Decision>;
  decideOnceActive(userId: string, permission: Permission): Promise<Decision>;
  visibleFilter(userId: string, permission: Permission): Promise<VisibleIntegrations>;
}

const NOTHING = { ids: [], owners: [], platforms: [] };

/** Principals by what their user may: everything for the installation, less for an API key with scopes. */
export function scopedDecider(users: UserDecider): Decider {
  return {
    async decide(principal, permission, integration) {
      if (principal.kind === 'installation')
        return { allowed: true, reason: 'The installation may do everything.', ruleId: 'installation' };
      if (principal.kind === 'apiKey') {
        const { apiKeyId, scopes } = principal;
        const reached =
          scopes.integrationIds === null ||
          PERMISSIONS[permission].scope === 'workspace' ||
          (integration !== null && scopesReach(scopes, integration.id));
        if (!reached || !scopesAllow(scopes, permission))
          return {
            allowed: false,
            reason: `The scopes of the API key leave out ${permission} here.`,
            ruleId: apiKeyId,
          };
      }
      return users.decide(principal.userId, permission, integration);
    },
    decideOnceActive: (userId, permission) => users.decideOnceActive(userId, permission),
    async visibleFilter(principal, permission) {
      if (principal.kind === 'installation') return { kind: 'all' };
      if (principal.kind === 'apiKey' && !scopesAllow(principal.scopes, permission)) return { kind: 'none' };
      const filter = await users.visibleFilter(principal.userId, permission);
      const within = principal.kind === 'apiKey' ? principal.scopes.integrationIds : null;
      if (within === null || filter.kind === 'none') return filter;
      const { only, except } = filter.kind === 'some' ? filter : { only: null, except: NOTHING };
      return { kind: 'some', only, except, within };
    },
  };
}
