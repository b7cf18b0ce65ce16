import type { Generated } from 'kysely';
import type { Json } from './json.ts';

export interface RateLimitsTable {
  integration_id: string;
  action: string;
  config: Json;
  revision: number;
  updated_at: Generated<Date>;
}

export interface RateLimitClearsTable {
  integration_id: string;
  revision: number;
}

interface RateLimitRevisionTable {
  id: Generated<boolean>;
  revision: number;
}

interface RateLimitReplicasTable {
  id: string;
  seen_at: Date;
}

interface RateLimitUsageTable {
  key: string;
  strategy: string;
  used: number;
  at_ms: number | null;
  idle_at_ms: number;
  run_times: number[];
  run_costs: number[];
}

interface RateLimitLearnedTable {
  integration_id: string;
  replica_id: string;
  share: number;
  reason: string;
  shut_until: Date | null;
  changed_at: Date;
}

export interface RateLimitTables {
  rate_limits: RateLimitsTable;
  rate_limit_clears: RateLimitClearsTable;
  rate_limit_revision: RateLimitRevisionTable;
  rate_limit_replicas: RateLimitReplicasTable;
  rate_limit_usage: RateLimitUsageTable;
  rate_limit_learned: RateLimitLearnedTable;
}
