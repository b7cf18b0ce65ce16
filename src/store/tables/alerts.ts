import type { Generated } from 'kysely';
import type { Json } from './json.ts';

interface AlertCountersTable {
  name: 'rules' | 'changes';
  value: number;
}

interface AlertRulesTable {
  id: string;
  shard: number;
  name: string;
  kind: string;
  severity: string;
  metric: string;
  enabled: boolean;
  definition: Json;
  version: Generated<number>;
  query_version: Generated<number>;
  revision: number;
  default_key: string | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
  deleted_at: Date | null;
}

interface AlertShardsTable {
  shard: number;
  lease_token: Generated<number>;
  lease_until: Date | null;
  evaluated_at: Date | null;
}

interface AlertReplicasTable {
  id: string;
  lease_until: Date;
}

interface AlertInstancesTable {
  rule_id: string;
  fingerprint: string;
  query_version: number;
  labels: Json;
  integration_id: string | null;
  state: string;
  reason: string;
  value: number | null;
  active_since: Date | null;
  fired_at: Date | null;
  recovered_since: Date | null;
  resolved_at: Date | null;
  changed_at: Date;
  evaluated_at: Date;
  evidence: Json;
}

interface AlertChangesTable {
  seq: number;
  rule_id: string;
  fingerprint: string;
  rule_name: string;
  kind: string;
  severity: string;
  from_state: string;
  to_state: string;
  reason: string;
  labels: Json;
  annotations: Json;
  notify: Json;
  integration_id: string | null;
  value: number | null;
  evidence: Json;
  at: Date;
}

interface AlertRuleFailuresTable {
  rule_id: string;
  error: string;
  since: Date;
}

export interface AlertTables {
  alert_counters: AlertCountersTable;
  alert_rules: AlertRulesTable;
  alert_shards: AlertShardsTable;
  alert_replicas: AlertReplicasTable;
  alert_instances: AlertInstancesTable;
  alert_changes: AlertChangesTable;
  alert_rule_failures: AlertRuleFailuresTable;
}
