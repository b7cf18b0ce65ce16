import type { AuditTrail } from '../audit/types.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { CredentialStore } from '../credentials/credentialStore.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Database } from '../store/database.ts';
import { type Accounts, createAccounts } from './accounts/accounts.ts';
import type { MailSettings } from './accounts/mailer.ts';
import { BreakGlassService } from './breakGlass/breakGlassService.ts';
import { AccessChanges } from './decisions/accessChanges.ts';
import { AccessControl } from './decisions/accessControl.ts';
import { AccessMap } from './decisions/accessMap.ts';
import { GrantService } from './grants/grantService.ts';
import { RoleService } from './roles/roleService.ts';
import { UserRoles } from './roles/userRoles.ts';

interface Dependencies {
  readonly database: Database;
  readonly credentials: CredentialStore;
  readonly jobs: Jobs;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  readonly log: Log;
  readonly jwtSecret: string;
  readonly publicUrl: string;
  readonly mail: MailSettings | null;
}

/** Who may do what, and who says so. */
export interface Access {
  readonly map: AccessMap;
  readonly control: AccessControl;
  readonly roles: RoleService;
  readonly userRoles: UserRoles;
  readonly grants: GrantService;
  readonly breakGlass: BreakGlassService;
  readonly accounts: Accounts;
  close(): Promise<void>;
}

/** Builds the parts of access and defines their jobs; before `jobs.start`. @throws UnavailableError */
export async function openAccess(deps: Dependencies): Promise<Access> {
  const { database, audit, clock, log } = deps;
  const map = await AccessMap.open({ pool: database.pool, log, clock });
  const changes = new AccessChanges({ database, map, audit, clock });
  const userRoles = new UserRoles(database, changes);
  const accounts = createAccounts({
    ...deps,
    roles: {
      mayAssignRole: (principal, role) => userRoles.mayAssignRole(principal, role),
      changed: () => map.changed(),
    },
  });
  return {
    map,
    control: new AccessControl(map, database, clock),
    roles: new RoleService(database, changes),
    userRoles,
    grants: new GrantService(database, changes),
    breakGlass: new BreakGlassService(database, changes, clock),
    accounts,
    async close() {
      await accounts.close();
      await map.close();
    },
  };
}
