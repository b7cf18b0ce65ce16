import type { Decision, Principal } from '../types.ts';
import { RoleAboveOwnError } from './errors.ts';

/** Says how far somebody's power over others goes: nobody goes above their own. */
export interface RoleRule {
  /** Whether somebody may give a role, and so invite who is to have it. */
  mayAssignRole(actor: Principal, role: string): Promise<Decision>;
  /** Whether somebody may change or remove a user, who has this role and perhaps more; `id` null: who was invited. */
  mayManage(actor: Principal, user: { readonly id: string | null; readonly role: string }): Promise<Decision>;
  /** Called after the commit of a change of users, which counts when it resolves. */
  changed(): Promise<void>;
}

/** @throws RoleAboveOwnError, RoleNotFoundError */
export async function requireMayAssign(rule: RoleRule, actor: Principal, role: string): Promise<void> {
  refuseUnless(await rule.mayAssignRole(actor, role), role);
}

function refuseUnless({ allowed, reason }: Decision, role: string): void {
  if (!allowed) throw new RoleAboveOwnError(role, reason);
}

/** @throws RoleAboveOwnError */
export async function requireMayManage(
  rule: RoleRule,
  actor: Principal,
  user: { readonly id: string | null; readonly role: string },
): Promise<void> {
  refuseUnless(await rule.mayManage(actor, user), user.role);
}
