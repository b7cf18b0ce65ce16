import type { Generated } from 'kysely';
import type { Json } from './json.ts';

interface LocalAccountsTable {
  user_id: string;
  password_hash: string;
  password_changed_at: Generated<Date>;
}

interface SecondFactorsTable {
  user_id: string;
  secret_envelope: Json;
  key_id: string;
  confirmed_at: Date | null;
  last_used_step: number | null;
  created_at: Generated<Date>;
}

interface RecoveryCodesTable {
  user_id: string;
  code_hash: Buffer;
}

interface SessionsTable {
  id: string;
  user_id: string;
  secret_hash: Buffer;
  former_secret_hash: Buffer | null;
  secret_made_at: Generated<Date>;
  secret_seen_at: Date | null;
  address: string | null;
  last_address: string | null;
  user_agent: string | null;
  created_at: Generated<Date>;
  last_seen_at: Generated<Date>;
  expires_at: Date;
  ended_at: Date | null;
}

export interface OneTimeTokensTable {
  id: string;
  purpose: 'setup' | 'passwordReset' | 'secondFactor';
  user_id: string | null;
  token_hash: Buffer;
  failures: Generated<number>;
  created_at: Generated<Date>;
  expires_at: Date;
}

interface InvitationsTable {
  id: string;
  email: string;
  role: string;
  token_hash: Buffer | null;
  invited_by: string;
  created_at: Generated<Date>;
  expires_at: Date;
}

interface LoginThrottlesTable {
  subject: string;
  failures: number;
  last_failed_at: Date;
  blocked_until: Date | null;
}

export interface AccountTables {
  local_accounts: LocalAccountsTable;
  second_factors: SecondFactorsTable;
  recovery_codes: RecoveryCodesTable;
  sessions: SessionsTable;
  one_time_tokens: OneTimeTokensTable;
  invitations: InvitationsTable;
  login_throttles: LoginThrottlesTable;
}
