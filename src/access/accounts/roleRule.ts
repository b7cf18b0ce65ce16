import type { Decision, Principal } from '../types.ts';
import { RoleAboveOwnError } from './errors.ts';

/** Says whether somebody may give a role, and change or remove who has it: nobody goes above their own power. */
export interface RoleRule {
  mayAssignRole(actor: Principal, role: string): Promise<Decision>;
  /**
   * Whether somebody may change, deactivate or un-invite who has, or is to have, this role. It takes everything that
   * they may: who changes an address can have its link sent to themselves. A role that does not exist gives nothing.
   */
  mayChange(actor: Principal, user: { readonly id: string | null; readonly role: string }): Promise<Decision>;
  /** Called after the commit of a change of users, which counts when it resolves. */
  changed(): Promise<void>;
}

/** @throws RoleAboveOwnError, RoleNotFoundError */
export async function requireMayAssign(rule: RoleRule, actor: Principal, role: string): Promise<void> {
  refuseUnless(await rule.mayAssignRole(actor, role), role);
}

/** @throws RoleAboveOwnError */
export async function requireMayChange(
  rule: RoleRule,
  actor: Principal,
  user: { readonly id: string | null; readonly role: string },
): Promise<void> {
  refuseUnless(await rule.mayChange(actor, user), user.role);
}

function refuseUnless({ allowed, reason }: Decision, role: string): void {
  if (!allowed) throw new RoleAboveOwnError(role, reason);
}
