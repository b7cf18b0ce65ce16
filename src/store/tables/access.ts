import type { Generated } from 'kysely';
import type { Json } from './json.ts';

export interface UsersTable {
  id: string;
  email: string;
  name: string;
  role: string;
  status: Generated<'active' | 'frozen' | 'deactivated'>;
  frozen_reason: string | null;
  version: Generated<number>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

interface RolesTable {
  name: string;
  description: string;
  permissions: Json;
  created_by: string;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

interface GrantsTable {
  id: string;
  user_id: string;
  effect: 'allow' | 'deny';
  permissions: string[];
  scope_kind: 'all' | 'integration' | 'platform' | 'owner';
  scope_value: string | null;
  reason: string;
  created_by: string;
  created_at: Generated<Date>;
  expires_at: Date | null;
}

interface BreakGlassTable {
  id: string;
  user_id: string;
  permissions: string[];
  scope_kind: 'all' | 'integration' | 'platform' | 'owner';
  scope_value: string | null;
  reason: string;
  duration_seconds: number;
  requested_at: Date;
  approved_by: string | null;
  approved_at: Date | null;
  expires_at: Date | null;
  ended_by: string | null;
  ended_at: Date | null;
}

interface AccessVersionTable {
  id: Generated<boolean>;
  version: Generated<number>;
  rules_version: Generated<number>;
  rules_raised_by: Generated<number>;
}

interface ApiKeysTable {
  id: string;
  user_id: string;
  name: string;
  secret_hash: Buffer;
  permissions: string[] | null;
  integration_ids: string[] | null;
  status: Generated<'active' | 'frozen' | 'revoked'>;
  frozen_reason: string | null;
  expires_at: Date | null;
  last_used_at: Date | null;
  rotated_from: string | null;
  overlap_until: Date | null;
  created_at: Generated<Date>;
  revoked_at: Date | null;
}

interface StackIdentitiesTable {
  project_id: string;
  subject: string;
  user_id: string;
  linked_at: Generated<Date>;
}

export interface AccessTables {
  users: UsersTable;
  roles: RolesTable;
  grants: GrantsTable;
  break_glass: BreakGlassTable;
  access_version: AccessVersionTable;
  api_keys: ApiKeysTable;
  stack_identities: StackIdentitiesTable;
}
