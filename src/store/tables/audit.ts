import type { Generated } from 'kysely';
import type { Json, NullableJson } from './json.ts';

interface AuditPendingTable {
  id: string;
  event: Buffer;
}

interface AuditEntriesTable {
  seq: number;
  id: string;
  event: Buffer;
  leaf_hash: Buffer;
  occurred_at: Date;
  actor_kind: string;
  actor_id: string;
  action: string;
  outcome: string;
  target_kind: string | null;
  target_id: string | null;
  integration_id: string | null;
}

interface AuditNodesTable {
  level: number;
  idx: number;
  hash: Buffer;
}

interface AuditTreeTable {
  singleton: Generated<boolean>;
  size: number;
  frontier: Buffer;
  signed_size: number;
  unsigned_since: Date | null;
}

interface AuditChecksTable {
  pass: 'new' | 'all';
  size: Generated<number>;
  frontier: Generated<Buffer>;
  began_at: Date | null;
  finished_at: Date | null;
  checked_at: Date | null;
  finding: NullableJson;
}

interface AuditSigningKeysTable {
  id: string;
  verifier_key: string;
  secret_envelope: Json;
  key_id: string;
  created_at: Generated<Date>;
}

interface AuditCheckpointsTable {
  tree_size: number;
  root_hash: Buffer;
  note: string;
  created_at: Generated<Date>;
}

export interface AuditTables {
  audit_pending: AuditPendingTable;
  audit_entries: AuditEntriesTable;
  audit_nodes: AuditNodesTable;
  audit_tree: AuditTreeTable;
  audit_checks: AuditChecksTable;
  audit_signing_keys: AuditSigningKeysTable;
  audit_checkpoints: AuditCheckpointsTable;
}
