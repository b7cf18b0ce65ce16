import type { Permission } from '../permissions.ts';
import type { RolePermission } from '../roles/builtInRoles.ts';
import type { IntegrationRef, KeyScopes, Principal } from '../types.ts';
import type { AccessRules } from './accessRules.ts';
import { AccessDeniedError } from './errors.ts';
import { isAboutIntegrations, permissionsMatching } from './permissionNames.ts';
import { decideFor, isPermissionInScope } from './principals.ts';
import { describeScope, type Scope } from './scope.ts';

/** What a grant, or break-glass, gives. */
export interface Gift {
  /** Names and patterns. */
  readonly permissions: readonly string[];
  readonly scope: Scope;
  /** The one that the scope names, if it names one. */
  readonly integration: IntegrationRef | null;
  /** Infinity: for good. */
  readonly untilMs: number;
}

/** What whoever changes access may themselves; nobody gives more than that. */
export class Powers {
  readonly #rules: AccessRules;
  readonly #principal: Principal;
  readonly #nowMs: number;

  constructor(rules: AccessRules, principal: Principal, nowMs: number) {
    this.#rules = rules;
    this.#principal = principal;
    this.#nowMs = nowMs;
  }

  has(permission: Permission): boolean {
    return decideFor(this.#rules, this.#principal, permission, null, this.#nowMs).allowed;
  }

  maySee(integration: IntegrationRef): boolean {
    return decideFor(this.#rules, this.#principal, 'integrations:read', integration, this.#nowMs).allowed;
  }

  /** @throws AccessDeniedError */
  require(permission: Permission): void {
    if (!this.has(permission)) refuse(`This takes the permission ${permission}.`, [permission]);
  }

  /**
   * Break-glass does not count, and what ends before the gift does not either.
   * @throws AccessDeniedError when they do not hold all of it
   */
  requireGift(gift: Gift): void {
    const all = gift.permissions.flatMap(permissionsMatching);
    // What is about the whole installation is not given by a rule that is limited to some integrations.
    const given = gift.scope.kind === 'all' ? all : all.filter(isAboutIntegrations);
    const missing = given.filter((permission) => !this.#holds(permission, gift));
    if (missing.length > 0)
      refuse(`Nobody gives what they do not have: ${missing.join(', ')} on ${describeScope(gift.scope)}.`, missing);
  }

  /** What somebody has beside their role: grants and break-glass, as gifts of their own. */
  givenTo(userId: string): Omit<Gift, 'integration'>[] {
    return [...this.#rules.givenTo(userId, this.#nowMs)].map(({ permissions, scope, expiresAtMs }) => ({
      permissions: [...permissions],
      scope,
      untilMs: expiresAtMs,
    }));
  }

  /** @throws AccessDeniedError when a role with these permissions allows what they may not */
  requireRole(permissions: readonly RolePermission[]): void {
    const missing = permissions.filter((one) => !this.#holdsInRole(one)).map(({ permission }) => permission);
    if (missing.length > 0) refuse(`Nobody gives what they do not have: ${missing.join(', ')}.`, missing);
  }

  /** @throws AccessDeniedError */
  requireOwner(): void {
    const { userId } = this.#principal.kind === 'installation' ? { userId: null } : this.#principal;
    if (userId === null) return;
    const scopes = scopesOf(this.#principal);
    const isWhole = scopes === null || (scopes.permissions === null && scopes.integrationIds === null);
    if (!isWhole || !this.#rules.isOwner(userId)) refuse('Only owners make owners, and change what owners may do.');
  }

  #holds(permission: Permission, gift: Gift): boolean {
    const scopes = scopesOf(this.#principal);
    if (scopes !== null) {
      const { scope } = gift;
      const inScope =
        scopes.integrationIds === null || (scope.kind === 'integration' && scopes.integrationIds.includes(scope.value));
      if (!inScope || !isPermissionInScope(scopes, permission)) return false;
    }
    if (this.#principal.kind === 'installation') return true;
    return this.#rules.holds(this.#principal.userId, permission, gift, this.#nowMs);
  }

  #holdsInRole(given: RolePermission): boolean {
    const scopes = scopesOf(this.#principal);
    if (scopes !== null && (scopes.integrationIds !== null || !isPermissionInScope(scopes, given.permission)))
      return false;
    if (this.#principal.kind === 'installation') return true;
    return this.#rules.holdsInRole(this.#principal.userId, given, this.#nowMs);
  }
}

function scopesOf(principal: Principal): KeyScopes | null {
  return principal.kind === 'apiKey' ? principal.scopes : null;
}

/** @throws AccessDeniedError */
export function refuse(message: string, missing: readonly Permission[] = []): never {
  throw new AccessDeniedError(message, { details: { missing } });
}
