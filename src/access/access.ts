import type { AuditTrail } from '../audit/types.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Database } from '../store/database.ts';
import { BreakGlassService } from './breakGlass/breakGlassService.ts';
import { AccessChanges } from './decisions/accessChanges.ts';
import { AccessControl } from './decisions/accessControl.ts';
import { AccessMap } from './decisions/accessMap.ts';
import { GrantService } from './grants/grantService.ts';
import { RoleService } from './roles/roleService.ts';
import { UserRoles } from './roles/userRoles.ts';

interface Dependencies {
  readonly database: Database;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  readonly log: Log;
}

/** Who may do what, and who says so. */
export interface Access {
  readonly map: AccessMap;
  readonly control: AccessControl;
  readonly roles: RoleService;
  readonly userRoles: UserRoles;
  readonly grants: GrantService;
  readonly breakGlass: BreakGlassService;
  close(): Promise<void>;
}

/** Builds the parts of access control. @throws UnavailableError */
export async function openAccess({ database, audit, clock, log }: Dependencies): Promise<Access> {
  const map = await AccessMap.open({ pool: database.pool, log, clock });
  const changes = new AccessChanges({ database, map, audit, clock });
  return {
    map,
    control: new AccessControl(map, database, clock),
    roles: new RoleService(database, changes),
    userRoles: new UserRoles(changes),
    grants: new GrantService(database, changes),
    breakGlass: new BreakGlassService(database, changes, clock),
    close: () => map.close(),
  };
}
