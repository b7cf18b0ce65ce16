import type { Decision, Principal } from '../types.ts';
import { RoleAboveOwnError } from './errors.ts';

/** Says whether somebody may give a role, and so invite, change or remove who has it: nobody goes above their own power. */
export interface RoleRule {
  mayAssignRole(actor: Principal, role: string): Promise<Decision>;
  /** Called after the commit of a change of users, which counts when it resolves. */
  changed(): Promise<void>;
}

/** @throws RoleAboveOwnError */
export async function requireMayAssign(rule: RoleRule, actor: Principal, role: string): Promise<void> {
  const { allowed, reason } = await rule.mayAssignRole(actor, role);
  if (!allowed) throw new RoleAboveOwnError(role, reason);
}
