import type { FastifyRequest } from 'fastify';
import { scopesReach } from '../../access/apiKeys/scopes.ts';
import { asUser, type Decider } from '../../access/decider.ts';
import { auditActor } from '../../access/decisions/actor.ts';
import { AccessDeniedError } from '../../access/decisions/errors.ts';
import type { DenialLog } from '../../access/denials.ts';
import type { Permission } from '../../access/permissions.ts';
import type { IntegrationRef, Principal } from '../../access/types.ts';
import { IntegrationNotFoundError, WebhookNotFoundError } from '../../integrations/errors.ts';
import { findIntegrationRefs, findWebhookIntegration } from '../../integrations/integrationQueries.ts';
import type { VisibleIntegrations } from '../../integrations/visibleIntegrations.ts';
import type { Database } from '../../store/database.ts';
import { originOf } from './origin.ts';

/** What a request may do, asked by the guard and, where the body tells more, by handlers. Denials are recorded. */
export class RequestAccess {
  readonly #decider: Decider;
  readonly #principal: Principal;
  readonly #denials: DenialLog;
  readonly #database: Database;
  readonly #request: FastifyRequest;

  constructor(
    deps: { decider: Decider; denials: DenialLog; database: Database },
    principal: Principal,
    request: FastifyRequest,
  ) {
    this.#denials = deps.denials;
    this.#database = deps.database;
    this.#decider = deps.decider;
    this.#principal = principal;
    this.#request = request;
  }

  /** @throws AccessDeniedError. `integration`: null for a permission about the installation as a whole. */
  async require(permission: Permission, integration: IntegrationRef | null): Promise<void> {
    const { allowed, reason } = await this.#decider.decide(this.#principal, permission, integration);
    if (!allowed) throw await this.#forbidden(permission, reason, integration?.id);
  }

  /** For which integrations the permission is given. */
  visible(permission: Permission): Promise<VisibleIntegrations> {
    return this.#decider.visibleFilter(this.#principal, permission);
  }

  /** What the route declares. @throws AccessDeniedError, IntegrationNotFoundError, WebhookNotFoundError */
  async requireDeclared(): Promise<void> {
    const { permission, about, keysToo } = this.#request.routeOptions.config;
    // What does not exist asks for nothing; every route that does has one of them.
    if (permission === undefined) return;
    if (permission === 'self') return this.#requireSelf(keysToo === true);
    if (about === undefined) return this.require(permission, null);
    if (about !== 'many') return this.#requireForOne(permission, about);
    if ((await this.visible(permission)).kind === 'none')
      throw await this.#forbidden(permission, 'Nothing allows it for any integration.');
  }

  /** Of `self` routes: a person's own account, and what a key may do for its user where the route says so. */
  async #requireSelf(keysToo: boolean): Promise<void> {
    const principal = this.#principal;
    if (principal.kind === 'user' || (principal.kind === 'apiKey' && keysToo)) return;
    throw await this.#forbidden(
      'self',
      principal.kind === 'apiKey'
        ? 'This is for people: sign in, an API key may not do it.'
        : 'This is about the account of whoever asks, and the installation’s key has none. Use the API key of a user, or the command line.',
    );
  }

  /**
   * Whoever may not even see the integration is answered as if there were none, after the same work: what others
   * have cannot be found out by trying.
   */
  async #requireForOne(permission: Permission, about: 'integration' | 'webhook'): Promise<void> {
    // It sees everything, so handlers say best what does not exist.
    if (this.#principal.kind === 'installation') return;
    const { id } = this.#request.params as { readonly id: string };
    const integration = isReadable(id) ? await this.#find(about, id) : null;
    if (integration !== null) {
      const { allowed, reason } = await this.#decider.decide(this.#principal, permission, integration);
      if (allowed) return;
      if (await this.#mayKnowOf(integration)) throw await this.#forbidden(permission, reason, integration.id);
    }
    await this.#note('It does not exist, or may not be seen.', permission, about === 'integration' ? id : undefined);
    throw about === 'integration' ? new IntegrationNotFoundError(id) : new WebhookNotFoundError(id);
  }

  /**
   * The permissions that a key is limited to do not count here, the integrations do: what its user sees is no secret
   * from a key that may only start syncs there.
   */
  async #mayKnowOf(integration: IntegrationRef): Promise<boolean> {
    const principal = this.#principal;
    if (principal.kind === 'installation') return true;
    if (principal.kind === 'apiKey' && !scopesReach(principal.scopes, integration.id)) return false;
    return (await this.#decider.decide(asUser(principal.userId), 'integrations:read', integration)).allowed;
  }

  async #find(about: 'integration' | 'webhook', id: string): Promise<IntegrationRef | null> {
    const { db } = this.#database;
    if (about === 'webhook') return findWebhookIntegration(db, id);
    return (await findIntegrationRefs(db, [id]))[0] ?? null;
  }

  async #forbidden(
    permission: Permission | 'self',
    reason: string,
    integrationId?: string,
  ): Promise<AccessDeniedError> {
    await this.#note(reason, permission, integrationId);
    const where = integrationId === undefined || integrationId === '' ? '' : ` for integration ${integrationId}`;
    const error =
      permission === 'self'
        ? new AccessDeniedError(reason)
        : new AccessDeniedError(`This needs the permission "${permission}"${where}. ${reason}`, {
            details: { permission, ...(where === '' ? {} : { integrationId }) },
          });
    error.recorded = true;
    return error;
  }

  #note(reason: string, permission: string, integrationId?: string): Promise<void> {
    return this.#denials.note({
      actor: auditActor(this.#principal),
      route: routeOf(this.#request),
      reason,
      permission,
      ...(integrationId === undefined || integrationId === '' ? {} : { integrationId }),
      origin: originOf(this.#request),
    });
  }
}

/** As it was registered: an address that was asked for may hold anything. */
export function routeOf(request: FastifyRequest): string {
  return `${request.method} ${request.routeOptions.url ?? '(unknown)'}`;
}

/** What PostgreSQL can compare with and what ids are made of. */
function isReadable(id: string): boolean {
  return /^[\x21-\x7e]{1,200}$/.test(id);
}
