import { isClosedToBreakGlass } from '../breakGlass/limits.ts';
import type { Permission } from '../permissions.ts';
import { BUILT_IN_ROLES, type Role } from '../roles/builtInRoles.ts';
import type { Decision } from '../types.ts';
import { AccessRules, type CompiledRole, type CompiledUser } from './accessRules.ts';
import { isAboutIntegrations, permissionsMatching } from './permissionNames.ts';
import { NO_RULES, type Rule, RuleIndex } from './ruleIndex.ts';
import { describeScope } from './scope.ts';
import type { AccessSnapshot, SnapshotRule, SnapshotUser } from './snapshot.ts';

/** Grows with users and rules, not with their product: rules share their sets of permissions, users their roles. */
export function compileAccess(snapshot: AccessSnapshot): AccessRules {
  const roles = compileRoles(snapshot.roles);
  const permissionSets = new PermissionSets();
  const denies = new RulesByUser();
  const grants = new RulesByUser();
  const breakGlass = new RulesByUser();
  const expiries: number[] = [];

  const toRule = (rule: SnapshotRule, decision: Decision, keep: (one: Permission) => boolean): Rule => {
    if (rule.expiresAtMs !== null) expiries.push(rule.expiresAtMs);
    return {
      permissions: permissionSets.of(rule.permissions, keep),
      scope: rule.scope,
      expiresAtMs: rule.expiresAtMs ?? Number.POSITIVE_INFINITY,
      decision,
    };
  };
  for (const grant of snapshot.grants) {
    const { id, reason, scope } = grant;
    const allowed = grant.effect === 'allow';
    const decision = {
      allowed,
      reason: `${allowed ? 'Granted' : 'Denied'} on ${describeScope(scope)}: ${reason}`,
      ruleId: id,
    };
    (allowed ? grants : denies).add(grant.userId, toRule(grant, decision, always));
  }
  for (const opened of snapshot.breakGlass) {
    const { id, reason, scope } = opened;
    const decision = { allowed: true, reason: `Break-glass on ${describeScope(scope)}: ${reason}`, ruleId: id };
    breakGlass.add(opened.userId, toRule(opened, decision, isOpen));
  }
  const users = new Map<string, CompiledUser>();
  for (const user of snapshot.users) {
    users.set(user.id, {
      refusal: refusalOf(user),
      roleName: user.role,
      role: roles.get(user.role) ?? NO_ROLE,
      denies: denies.of(user.id),
      grants: grants.of(user.id),
      breakGlass: breakGlass.of(user.id),
    });
  }
  return new AccessRules(users, expiries);
}

const always = (): boolean => true;
const isOpen = (permission: Permission): boolean => !isClosedToBreakGlass(permission);

const NO_ROLE: CompiledRole = { all: new Map(), own: new Map() };

const REFUSALS = {
  active: null,
  frozen: { allowed: false, reason: 'The user is frozen.', ruleId: null },
  deactivated: { allowed: false, reason: 'The user is deactivated.', ruleId: null },
} satisfies Record<SnapshotUser['status'], Decision | null>;

function refusalOf(user: SnapshotUser): Decision | null {
  return REFUSALS[user.status];
}

/** What is built in cannot be redefined by a row of the same name. */
function compileRoles(custom: AccessSnapshot['roles']): Map<string, CompiledRole> {
  return new Map([...custom, ...BUILT_IN_ROLES].map((role) => [role.name, compileRole(role)]));
}

function compileRole({ name, permissions }: Pick<Role, 'name' | 'permissions'>): CompiledRole {
  const compiled = { all: new Map<Permission, Decision>(), own: new Map<Permission, Decision>() };
  for (const { permission, reach } of permissions) {
    // What is about the whole installation has no owner.
    if (reach === 'own' && !isAboutIntegrations(permission)) continue;
    const where = reach === 'own' ? 'on one’s own integrations' : 'everywhere';
    compiled[reach].set(permission, {
      allowed: true,
      reason: `The role ${name} allows ${permission} ${where}.`,
      ruleId: `role:${name}`,
    });
  }
  return compiled;
}

class RulesByUser {
  readonly #indexes = new Map<string, RuleIndex>();

  add(userId: string, rule: Rule): void {
    let index = this.#indexes.get(userId);
    if (index === undefined) {
      index = new RuleIndex();
      this.#indexes.set(userId, index);
    }
    index.add(rule);
  }

  of(userId: string): RuleIndex {
    return this.#indexes.get(userId) ?? NO_RULES;
  }
}

/** Patterns spelt out; equal lists share one set. */
class PermissionSets {
  readonly #sets = new Map<string, ReadonlySet<Permission>>();

  of(patterns: readonly string[], keep: (permission: Permission) => boolean): ReadonlySet<Permission> {
    const key = `${keep === always ? '' : 'open '}${patterns.join(' ')}`;
    let set = this.#sets.get(key);
    if (set === undefined) {
      set = new Set(patterns.flatMap(permissionsMatching).filter(keep));
      this.#sets.set(key, set);
    }
    return set;
  }
}
