import type { Decision, Principal } from '../types.ts';
import { RoleAboveOwnError } from './errors.ts';

/** Says whether somebody may give a role, and change or remove who has it: nobody goes above their own power. */
export interface RoleRule {
  mayAssignRole(actor: Principal, role: string): Promise<Decision>;
  /** The same for who has the role already. Not every user has one that exists, and such a user is above nobody. */
  mayChangeWhoHas(actor: Principal, role: string): Promise<Decision>;
  /** Called after the commit of a change of users, which counts when it resolves. */
  changed(): Promise<void>;
}

/** @throws RoleAboveOwnError, RoleNotFoundError */
export async function requireMayAssign(rule: RoleRule, actor: Principal, role: string): Promise<void> {
  refuseUnless(await rule.mayAssignRole(actor, role), role);
}

/** @throws RoleAboveOwnError */
export async function requireMayChange(rule: RoleRule, actor: Principal, role: string): Promise<void> {
  refuseUnless(await rule.mayChangeWhoHas(actor, role), role);
}

function refuseUnless({ allowed, reason }: Decision, role: string): void {
  if (!allowed) throw new RoleAboveOwnError(role, reason);
}
