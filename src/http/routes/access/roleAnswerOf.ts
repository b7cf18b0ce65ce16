import { findBuiltInRole, type Role } from '../../../access/roles/builtInRoles.ts';

/** A role as it is answered. */
export function roleAnswerOf({ name, description, permissions }: Role) {
  return { name, description, permissions, builtIn: findBuiltInRole(name) !== undefined };
}
