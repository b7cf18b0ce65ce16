import type { VisibleIntegrations } from '../../integrations/visibleIntegrations.ts';
import type { Permission } from '../permissions.ts';
import type { Decision, IntegrationRef, KeyScopes, Principal } from '../types.ts';
import type { AccessRules } from './accessRules.ts';
import { isAboutIntegrations } from './permissionNames.ts';
import { within } from './visibleFilter.ts';

const INSTALLATION: Decision = {
  allowed: true,
  reason: 'The key of the installation and its command line may do everything.',
  ruleId: 'installation',
};

/** Whether whoever makes the request may: a user what the rules say, an API key what its scopes leave of that. */
export function decideFor(
  rules: AccessRules,
  principal: Principal,
  permission: Permission,
  integration: IntegrationRef | null,
  nowMs: number,
): Decision {
  if (principal.kind === 'installation') return INSTALLATION;
  if (principal.kind === 'apiKey') {
    const { scopes, apiKeyId } = principal;
    const inScope =
      isPermissionInScope(scopes, permission) &&
      (scopes.integrationIds === null ||
        !isAboutIntegrations(permission) ||
        (integration !== null && scopes.integrationIds.includes(integration.id)));
    if (!inScope)
      return { allowed: false, reason: `The scopes of the API key leave out ${permission} here.`, ruleId: apiKeyId };
  }
  return rules.decide(principal.userId, permission, integration, nowMs);
}

/** The integrations that `decideFor` allows it on. */
export function filterFor(
  rules: AccessRules,
  principal: Principal,
  permission: Permission,
  nowMs: number,
): VisibleIntegrations {
  if (principal.kind === 'installation') return { kind: 'all' };
  if (principal.kind === 'apiKey' && !isPermissionInScope(principal.scopes, permission)) return { kind: 'none' };
  const filter = rules.visibleFilter(principal.userId, permission, nowMs);
  if (principal.kind === 'user' || !isAboutIntegrations(permission)) return filter;
  return within(filter, principal.scopes.integrationIds);
}

/** A key limited to some integrations does nothing to the whole installation, unless that is named. */
export function isPermissionInScope({ permissions, integrationIds }: KeyScopes, permission: Permission): boolean {
  if (permissions !== null) return permissions.includes(permission);
  return integrationIds === null || isAboutIntegrations(permission);
}
