import type { Generated } from 'kysely';
import type { Json, NullableJson } from './json.ts';

export interface InstallationKeysTable {
  id: string;
  status: 'active' | 'retiring';
  salt: Buffer;
  iterations: number;
  sealed_key: Json;
  created_at: Generated<Date>;
}

interface IntegrationsTable {
  id: string;
  owner: string;
  name: string;
  type: string;
  platform: string;
  status: 'pending' | 'connected' | 'disconnected' | 'error' | 'deleting';
  status_reason: string | null;
  configuration: Json;
  version: Generated<number>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

interface CredentialsTable {
  integration_id: string;
  envelope: Json;
  key_id: string;
  fields: string[];
  origins: Generated<string[]>;
  version: Generated<number>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

interface WebhookEndpointsTable {
  id: string;
  integration_id: string;
  url: string;
  events: string[];
  description: string | null;
  active: Generated<boolean>;
  secret_envelope: Json;
  key_id: string;
  version: Generated<number>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

interface ConnectorsTable {
  platform: string;
  version: number;
  source: string;
  created_at: Generated<Date>;
  deleted_at: Date | null;
}

interface OutgoingAttemptsTable {
  id: string;
  operation_id: string;
  integration_id: string;
  operation: string;
  attempt: number;
  method: string;
  host: string;
  path: string;
  status: number | null;
  outcome: string;
  started_at: Date;
  duration_ms: number;
  wait_ms: number;
  first_byte_ms: number | null;
  response_bytes: Generated<number>;
  error: string | null;
}

interface IdempotencyKeysTable {
  scope: string;
  key: string;
  request_hash: Buffer;
  resource_name: string;
  response: NullableJson;
  locked_until: Date;
  created_at: Generated<Date>;
}

interface SchemaMigrationsTable {
  version: number;
  name: string;
  sha256: string;
  applied_at: Generated<Date>;
}

export interface IntegrationTables {
  installation_keys: InstallationKeysTable;
  integrations: IntegrationsTable;
  credentials: CredentialsTable;
  webhook_endpoints: WebhookEndpointsTable;
  connectors: ConnectorsTable;
  outgoing_attempts: OutgoingAttemptsTable;
  idempotency_keys: IdempotencyKeysTable;
  schema_migrations: SchemaMigrationsTable;
}
