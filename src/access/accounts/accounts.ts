import type { AuditTrail } from '../../audit/types.ts';
import type { Clock } from '../../core/clock.ts';
import type { CredentialStore } from '../../credentials/credentialStore.ts';
import type { Jobs } from '../../jobs/jobs.ts';
import type { Database } from '../../store/database.ts';
import { Invitations } from './invitations.ts';
import { LoginService } from './login.ts';
import { Mailer, type MailSettings } from './mailer.ts';
import { PasswordCheck } from './passwordCheck.ts';
import { PasswordHasher } from './passwordHasher.ts';
import { PasswordStrength } from './passwordStrength.ts';
import { Passwords } from './passwords.ts';
import type { RoleRule } from './roleRule.ts';
import { SecondFactors } from './secondFactors.ts';
import { SessionService } from './sessions.ts';
import { FirstSetup } from './setup.ts';
import { LoginThrottle } from './throttle.ts';
import { UserService } from './userService.ts';

interface AccountParts {
  readonly database: Database;
  readonly credentials: CredentialStore;
  readonly jobs: Jobs;
  readonly audit: AuditTrail;
  readonly roles: RoleRule;
  readonly clock: Clock;
  readonly jwtSecret: string;
  readonly publicUrl: string;
  /** Null: nothing is sent by e-mail. */
  readonly mail: MailSettings | null;
}

/** Everything about local accounts. */
export interface Accounts {
  readonly setup: FirstSetup;
  readonly login: LoginService;
  readonly sessions: SessionService;
  readonly passwords: Passwords;
  readonly secondFactors: SecondFactors;
  readonly invitations: Invitations;
  readonly users: UserService;
  close(): Promise<void>;
}

/** Builds the parts and defines their jobs; before `jobs.start`. */
export function createAccounts(given: AccountParts): Accounts {
  const hasher = new PasswordHasher();
  const strength = new PasswordStrength();
  const throttle = new LoginThrottle(given.database);
  const mailer = given.mail === null ? null : new Mailer(given.mail);
  const check = new PasswordCheck({ ...given, hasher, throttle });
  const sessions = new SessionService(given);
  const parts = { ...given, hasher, strength, throttle, mailer, check, sessions };
  const secondFactors = new SecondFactors(parts);
  return {
    setup: new FirstSetup(parts),
    login: new LoginService({ ...parts, secondFactors }),
    sessions,
    passwords: new Passwords(parts),
    secondFactors,
    invitations: new Invitations(parts),
    users: new UserService({ ...parts, secondFactors }),
    close: () => strength.close(),
  };
}
