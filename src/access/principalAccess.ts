import { EVERY_INTEGRATION, NO_INTEGRATION, type VisibleIntegrations } from '../integrations/visibleIntegrations.ts';
import { scopesAllow, scopesReach } from './apiKeys/scopes.ts';
import type { Decider } from './decider.ts';
import type { Permission } from './permissions.ts';
import type { Decision, IntegrationRef, Principal } from './types.ts';

const INSTALLATION: Decision = { allowed: true, reason: 'The installation may do everything.', ruleId: null };

/** What a principal may do: what their user may, less what the scopes of an API key leave out. */
export class PrincipalAccess {
  readonly #decider: Decider;
  readonly principal: Principal;

  constructor(decider: Decider, principal: Principal) {
    this.#decider = decider;
    this.principal = principal;
  }

  /** `integration`: null for a permission about the installation as a whole. */
  async decide(permission: Permission, integration: IntegrationRef | null): Promise<Decision> {
    const { principal } = this;
    if (principal.kind === 'installation') return INSTALLATION;
    if (principal.kind === 'apiKey') {
      const { apiKeyId, scopes } = principal;
      if (!scopesAllow(scopes, permission))
        return { allowed: false, reason: `The scopes of API key ${apiKeyId} leave it out.`, ruleId: null };
      if (integration !== null && !scopesReach(scopes, integration.id))
        return { allowed: false, reason: `API key ${apiKeyId} is limited to other integrations.`, ruleId: null };
    }
    return this.#decider.decide(principal.userId, permission, integration);
  }

  /**
   * Whether the principal may know that the integration exists. The permissions that a key is limited to do not count
   * here, the integrations do: what its user sees is no secret from a key that may only start syncs there.
   */
  async mayKnowOf(integration: IntegrationRef): Promise<boolean> {
    const { principal } = this;
    if (principal.kind === 'installation') return true;
    if (principal.kind === 'apiKey' && !scopesReach(principal.scopes, integration.id)) return false;
    return (await this.#decider.decide(principal.userId, 'integrations:read', integration)).allowed;
  }

  /** For which integrations `decide` allows it. */
  async visible(permission: Permission): Promise<VisibleIntegrations> {
    const { principal } = this;
    if (principal.kind === 'installation') return EVERY_INTEGRATION;
    if (principal.kind === 'user') return this.#decider.visibleFilter(principal.userId, permission);
    if (!scopesAllow(principal.scopes, permission)) return NO_INTEGRATION;
    const visible = await this.#decider.visibleFilter(principal.userId, permission);
    const { integrationIds } = principal.scopes;
    return integrationIds === null ? visible : { ...visible, within: integrationIds };
  }
}
