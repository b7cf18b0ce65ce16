import type { VisibleIntegrations } from '../../integrations/visibleIntegrations.ts';
import type { Permission } from '../permissions.ts';
import { OWNER, type RolePermission } from '../roles/builtInRoles.ts';
import type { Decision, IntegrationRef } from '../types.ts';
import { isAboutIntegrations, PERMISSION_NAMES } from './permissionNames.ts';
import type { Rule, RuleIndex } from './ruleIndex.ts';
import { contains, mayOverlap, type Scope } from './scope.ts';
import { visibleOf } from './visibleFilter.ts';

export interface CompiledRole {
  readonly all: ReadonlyMap<Permission, Decision>;
  readonly own: ReadonlyMap<Permission, Decision>;
}

export interface CompiledUser {
  /** Set when nothing at all is allowed: frozen, deactivated. */
  readonly refusal: Decision | null;
  readonly roleName: string;
  readonly role: CompiledRole;
  readonly denies: RuleIndex;
  readonly grants: RuleIndex;
  readonly breakGlass: RuleIndex;
}

const UNKNOWN_USER: Decision = { allowed: false, reason: 'There is no such user.', ruleId: null };
const NOTHING = Object.fromEntries(
  PERMISSION_NAMES.map((name) => [name, { allowed: false, reason: `Nothing allows ${name} here.`, ruleId: null }]),
) as Readonly<Record<Permission, Decision>>;

/** Decides from a snapshot, without I/O and without making anything: an answer is one of those made beforehand. */
export class AccessRules {
  readonly #users: ReadonlyMap<string, CompiledUser>;
  readonly #expiriesMs: Float64Array;

  constructor(users: ReadonlyMap<string, CompiledUser>, expiriesMs: readonly number[]) {
    this.#users = users;
    this.#expiriesMs = Float64Array.from(expiriesMs).sort();
  }

  /**
   * Whether the user may: not when frozen, deactivated or unknown; then an explicit deny, the role, ownership, a
   * grant, break-glass, in this order; else not.
   *
   * `integration` null, for a permission that is about integrations, asks about every one there is or may be: a deny
   * on any of them refuses, and only what is allowed everywhere allows. For a permission of the whole installation the
   * integration says nothing.
   */
  decide(userId: string, permission: Permission, integration: IntegrationRef | null, nowMs: number): Decision {
    const user = this.#users.get(userId);
    if (user === undefined) return UNKNOWN_USER;
    return user.refusal ?? decideByRules(userId, user, permission, integration, nowMs);
  }

  /**
   * What `decide` would say of the user, about the installation, if they were active: of somebody frozen, what
   * unfreezing them gives back.
   */
  decideOnceActive(userId: string, permission: Permission, nowMs: number): Decision {
    const user = this.#users.get(userId);
    return user === undefined ? UNKNOWN_USER : decideByRules(userId, user, permission, null, nowMs);
  }

  /** The integrations that `decide` allows it on, as data to filter a list with. */
  visibleFilter(userId: string, permission: Permission, nowMs: number): VisibleIntegrations {
    const user = this.#activeUser(userId);
    if (user === undefined) return { kind: 'none' };
    if (!isAboutIntegrations(permission))
      return { kind: this.decide(userId, permission, null, nowMs).allowed ? 'all' : 'none' };
    const allowed = [
      ...(user.role.all.has(permission) ? [{ kind: 'all' } as const] : []),
      ...(user.role.own.has(permission) ? [{ kind: 'owner', value: userId } as const] : []),
      ...scopesOf(user.grants, permission, nowMs),
      ...scopesOf(user.breakGlass, permission, nowMs),
    ];
    return visibleOf(allowed, scopesOf(user.denies, permission, nowMs));
  }

  /**
   * Whether the user holds the permission on all of `scope` until `untilMs`, by role or grant and not by break-glass,
   * so that it may be given to somebody else. `integration` is the one that the scope names, if it names one.
   */
  holds(
    userId: string,
    permission: Permission,
    given: { readonly scope: Scope; readonly integration: IntegrationRef | null; readonly untilMs: number },
    nowMs: number,
  ): boolean {
    const user = this.#activeUser(userId);
    if (user === undefined) return false;
    // What is about the whole installation is allowed and denied on everything alone.
    const aboutIntegrations = isAboutIntegrations(permission);
    const scope: Scope = aboutIntegrations ? given.scope : { kind: 'all' };
    for (const deny of user.denies.counting(permission, nowMs)) {
      const counts = aboutIntegrations || deny.scope.kind === 'all';
      if (counts && mayOverlap(deny.scope, scope, given.integration)) return false;
    }
    if (user.role.all.has(permission)) return true;
    if (user.role.own.has(permission) && contains({ kind: 'owner', value: userId }, scope, given.integration))
      return true;
    for (const grant of user.grants.counting(permission, nowMs))
      if (grant.expiresAtMs >= given.untilMs && contains(grant.scope, scope, given.integration)) return true;
    return false;
  }

  /** Whether the user holds, for good, what a role with this permission gives. */
  holdsInRole(userId: string, { permission, reach }: RolePermission, nowMs: number): boolean {
    const everywhere = { scope: { kind: 'all' }, integration: null, untilMs: Number.POSITIVE_INFINITY } as const;
    if (this.holds(userId, permission, everywhere, nowMs)) return true;
    const user = this.#activeUser(userId);
    if (reach === 'all' || user === undefined || !user.role.own.has(permission)) return false;
    return user.denies.counting(permission, nowMs).next().done === true;
  }

  /** The grants and break-glass of a user that count at `nowMs`, also of one who is not active. */
  *givenTo(userId: string, nowMs: number): Generator<Rule> {
    const user = this.#users.get(userId);
    if (user === undefined) return;
    yield* user.grants.live(nowMs);
    yield* user.breakGlass.live(nowMs);
  }

  /** Whether the user is active and an owner. */
  isOwner(userId: string): boolean {
    return this.#activeUser(userId)?.roleName === OWNER;
  }

  isKnown(userId: string): boolean {
    return this.#users.has(userId);
  }

  isActive(userId: string): boolean {
    return this.#activeUser(userId) !== undefined;
  }

  /** Users who may do something. */
  *activeUserIds(): Generator<string> {
    for (const [id, user] of this.#users) if (user.refusal === null) yield id;
  }

  /** When the next rule ends by itself; Infinity when none will. */
  nextExpiryMs(nowMs: number): number {
    return this.#expiriesMs.find((expiryMs) => expiryMs > nowMs) ?? Number.POSITIVE_INFINITY;
  }

  #activeUser(userId: string): CompiledUser | undefined {
    const user = this.#users.get(userId);
    return user?.refusal === null ? user : undefined;
  }
}

function decideByRules(
  userId: string,
  user: CompiledUser,
  permission: Permission,
  integration: IntegrationRef | null,
  nowMs: number,
): Decision {
  const aboutIntegrations = isAboutIntegrations(permission);
  const about = aboutIntegrations ? integration : null;
  const denied =
    aboutIntegrations && about === null
      ? user.denies.counting(permission, nowMs).next().value
      : user.denies.find(permission, about, nowMs);
  if (denied !== undefined) return denied.decision;
  return (
    user.role.all.get(permission) ??
    (about !== null && about.owner === userId ? user.role.own.get(permission) : undefined) ??
    user.grants.find(permission, about, nowMs)?.decision ??
    user.breakGlass.find(permission, about, nowMs)?.decision ??
    NOTHING[permission]
  );
}

function scopesOf(rules: RuleIndex, permission: Permission, nowMs: number): Scope[] {
  return [...rules.counting(permission, nowMs)].map(({ scope }) => scope);
}
