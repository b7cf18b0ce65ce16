import type { Decision, Principal } from '../types.ts';
import { RoleAboveOwnError } from './errors.ts';

/** Says how far somebody's power over others goes: nobody goes above their own. */
export interface RoleRule {
  /** Whether somebody may give a role, and so invite who is to have it. */
  mayAssignRole(actor: Principal, role: string): Promise<Decision>;
  /** Whether somebody may change or remove a user, who has this role and perhaps more. */
  mayManage(actor: Principal, user: { readonly id: string; readonly role: string }): Promise<Decision>;
  /** Called after the commit of a change of users, which counts when it resolves. */
  changed(): Promise<void>;
}

/** @throws RoleAboveOwnError */
export async function requireMayAssign(rule: RoleRule, actor: Principal, role: string): Promise<void> {
  const { allowed, reason } = await rule.mayAssignRole(actor, role);
  if (!allowed) throw new RoleAboveOwnError(role, reason);
}

/** @throws RoleAboveOwnError */
export async function requireMayManage(
  rule: RoleRule,
  actor: Principal,
  user: { readonly id: string; readonly role: string },
): Promise<void> {
  const { allowed, reason } = await rule.mayManage(actor, user);
  if (!allowed) throw new RoleAboveOwnError(user.role, reason);
}
