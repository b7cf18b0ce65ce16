import { type Clock, systemClock } from '../../core/clock.ts';
import type { VisibleIntegrations } from '../../integrations/visibleIntegrations.ts';
import type { Database } from '../../store/database.ts';
import type { Permission } from '../permissions.ts';
import type { Decision, IntegrationRef, Principal } from '../types.ts';
import type { AccessMap } from './accessMap.ts';
import { findIntegrationRef } from './integrationRefs.ts';
import { permissionNamed } from './permissionNames.ts';
import { decideFor, filterFor } from './principals.ts';

/** The same for an unknown user and an unknown integration, so that nobody learns which ids exist. */
const NOT_FOUND: Decision = { allowed: false, reason: 'There is no such user or integration.', ruleId: null };

/** PostgreSQL takes no text with this character. */
const NUL = '\u0000';

/** Answers who may do what, from rules that are at most a second old. */
export class AccessControl {
  readonly #map: AccessMap;
  readonly #db: Database['db'];
  readonly #clock: Clock;

  constructor(map: AccessMap, database: Database, clock: Clock = systemClock) {
    this.#map = map;
    this.#db = database.db;
    this.#clock = clock;
  }

  /**
   * Whether the user may do it to the integration; false when there is no such user or integration.
   * `requiredPermission` is a full name such as `records:read`, or a verb that is about the integration: `read`.
   * @throws InvalidInputError when there is no such permission
   * @throws UnavailableError when the database does not answer
   */
  async checkAccessControl(userId: string, integrationId: string, requiredPermission: string): Promise<boolean> {
    return (await this.explainAccess(userId, integrationId, requiredPermission)).allowed;
  }

  /** The same with the reason and the rule that decided. */
  async explainAccess(userId: string, integrationId: string, requiredPermission: string): Promise<Decision> {
    const permission = permissionNamed(requiredPermission);
    const rules = await this.#map.fresh();
    const integration = await this.#find(integrationId);
    if (integration === null || !rules.isKnown(userId)) return NOT_FOUND;
    return rules.decide(userId, permission, integration, this.#clock.now());
  }

  /** The same, as far as whoever asks may see the integration: one they may not see is as good as unknown. */
  async explainTo(
    principal: Principal,
    question: { readonly userId: string; readonly integrationId: string; readonly permission: string },
  ): Promise<Decision> {
    const permission = permissionNamed(question.permission);
    const seen = await this.decide(principal, 'integrations:read', question.integrationId);
    return seen.allowed ? this.explainAccess(question.userId, question.integrationId, permission) : NOT_FOUND;
  }

  /**
   * Whether whoever makes a request may. `integration` is an id, what is known of one (also of one that is to be
   * made), or null: for a permission of the whole installation, or for every integration there is.
   * @throws UnavailableError when the database does not answer
   */
  async decide(
    principal: Principal,
    permission: Permission,
    integration: IntegrationRef | string | null,
  ): Promise<Decision> {
    const rules = await this.#map.fresh();
    const about = typeof integration === 'string' ? await this.#find(integration) : integration;
    if (about === null && integration !== null) return NOT_FOUND;
    return decideFor(rules, principal, permission, about, this.#clock.now());
  }

  /** What the user may do about the installation, or could if they were active. @throws UnavailableError */
  async decideOnceActive(userId: string, permission: Permission): Promise<Decision> {
    return (await this.#map.fresh()).decideOnceActive(userId, permission, this.#clock.now());
  }

  /** The integrations that they may do it to, for lists, counts and exports. @throws UnavailableError */
  async visibleFilter(principal: Principal, permission: Permission): Promise<VisibleIntegrations> {
    return filterFor(await this.#map.fresh(), principal, permission, this.#clock.now());
  }

  async #find(integrationId: string): Promise<IntegrationRef | null> {
    return integrationId.includes(NUL) ? null : findIntegrationRef(this.#db, integrationId);
  }
}
