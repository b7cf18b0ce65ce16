import type { AddAccessRoute } from './accessRoute.ts';
import { addGrant } from './addGrant.ts';
import { approveBreakGlass } from './approveBreakGlass.ts';
import { checkAccess } from './checkAccess.ts';
import { createRole } from './createRole.ts';
import { deleteRole } from './deleteRole.ts';
import { endBreakGlass } from './endBreakGlass.ts';
import { listBreakGlass } from './listBreakGlass.ts';
import { listGrants } from './listGrants.ts';
import { listRoles } from './listRoles.ts';
import { removeGrant } from './removeGrant.ts';
import { requestBreakGlass } from './requestBreakGlass.ts';
import { setUserRole } from './setUserRole.ts';
import { updateRole } from './updateRole.ts';

/** Roles, grants, break-glass and decisions, in the order of the reference page. */
export const ACCESS_ROUTES: readonly AddAccessRoute[] = [
  checkAccess,
  listRoles,
  createRole,
  updateRole,
  deleteRole,
  setUserRole,
  listGrants,
  addGrant,
  removeGrant,
  listBreakGlass,
  requestBreakGlass,
  approveBreakGlass,
  endBreakGlass,
];
