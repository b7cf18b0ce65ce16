import type { Transaction } from 'kysely';
import type { AuditTrail } from '../audit/types.ts';
import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { CredentialStore } from '../credentials/credentialStore.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Outgoing } from '../outgoing/pipeline.ts';
import type { Database } from '../store/database.ts';
import type { Schema } from '../store/schema.ts';
import { AccessSignal, type AccessVersion } from './accessSignal.ts';
import { type Accounts, createAccounts } from './accounts/accounts.ts';
import type { MailSettings } from './accounts/mailer.ts';
import { voidTokens } from './accounts/oneTimeTokens.ts';
import { endSessions } from './accounts/sessionQueries.ts';
import { ApiKeys } from './apiKeys/apiKeys.ts';
import { ApiKeyAuthenticator } from './apiKeys/keyAuthenticator.ts';
import { LastUses } from './apiKeys/lastUses.ts';
import { BreakGlassService } from './breakGlass/breakGlassService.ts';
import type { Decider } from './decider.ts';
import { AccessChanges } from './decisions/accessChanges.ts';
import { AccessControl } from './decisions/accessControl.ts';
import { AccessMap } from './decisions/accessMap.ts';
import { DenialLog } from './denials.ts';
import { Freezer } from './freeze/freeze.ts';
import { RunningWork } from './freeze/runningWork.ts';
import { GrantService } from './grants/grantService.ts';
import { RoleService } from './roles/roleService.ts';
import { UserRoles } from './roles/userRoles.ts';
import { openStackAuth } from './stackAuth/openStackAuth.ts';
import type { StackAuthenticator } from './stackAuth/stackUsers.ts';

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
  readonly stackAuth: Config['stackAuth'];
  readonly outgoing: Outgoing;
}

/** What every request is let in by. */
interface RequestChecks {
  readonly decider: Decider;
  readonly version: AccessVersion;
  readonly apiKeys: ApiKeyAuthenticator;
  /** Null where it is not configured. */
  readonly stackAuth: StackAuthenticator | null;
  readonly running: RunningWork;
  readonly denials: DenialLog;
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
  readonly apiKeys: ApiKeys;
  readonly freezer: Freezer;
  readonly checks: RequestChecks;
  close(): Promise<void>;
}

/** Builds the parts of access and defines their jobs; before `jobs.start`. @throws UnavailableError */
export async function openAccess(deps: Dependencies): Promise<Access> {
  const { database, audit, clock, log } = deps;
  await using opening = new AsyncDisposableStack();
  const map = await AccessMap.open({ pool: database.pool, log, clock });
  opening.defer(() => map.close());
  const changes = new AccessChanges({ database, map, audit, clock });
  const control = new AccessControl(map, database, clock);
  const userRoles = new UserRoles(database, changes);
  const version: AccessVersion = { version: () => map.version };
  const signal = new AccessSignal();
  signal.subscribe(() => map.changed());

  const accounts = createAccounts({
    ...deps,
    roles: {
      mayAssignRole: (principal, role) => userRoles.mayAssignRole(principal, role),
      mayManage: (principal, user) => userRoles.mayManage(principal, user),
      changed: () => signal.announce(),
    },
  });
  opening.defer(() => accounts.close());
  // Freezing ends sessions past the service that remembers them.
  map.onChange(() => accounts.sessions.forget());
  const lastUses = new LastUses({ database, log });
  opening.defer(() => lastUses.close());
  const denials = new DenialLog({ database, audit, log });
  opening.defer(() => denials.close());
  const running = new RunningWork({ database, version, signal, log });
  opening.defer(() => running.close());
  const stackAuth = await openStackAuth(deps.stackAuth, { ...deps, version, signal });
  const open = opening.move();

  return {
    map,
    control,
    roles: new RoleService(database, changes),
    userRoles,
    grants: new GrantService(database, changes),
    breakGlass: new BreakGlassService(database, changes, clock),
    accounts,
    apiKeys: new ApiKeys({ database, audit, decider: control, signal, clock }),
    freezer: new Freezer({ database, audit, decider: control, signal, endSessions: endSessionsAndLinks }),
    checks: {
      decider: control,
      version,
      apiKeys: new ApiKeyAuthenticator({ database, version, signal, lastUses, clock }),
      stackAuth,
      running,
      denials,
    },
    close: () => open.disposeAsync(),
  };
}

/** Also what a stolen mailbox or a half-done sign-in could begin a new session with. */
async function endSessionsAndLinks(tx: Transaction<Schema>, userId: string): Promise<void> {
  await endSessions(tx, userId);
  await voidTokens(tx, userId);
}
