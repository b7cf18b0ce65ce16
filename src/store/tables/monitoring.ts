import type { Generated } from 'kysely';
import type { Json } from './json.ts';

interface SystemMinutesTable {
  bucket: Date;
  metric: string;
  process: string;
  samples: number[];
  latest_at: Date;
}

interface IntegrationHealthTable {
  integration_id: string;
  state: 'pass' | 'warn' | 'fail' | 'unknown';
  source: 'traffic' | 'probe' | 'none';
  outcome: string | null;
  detail: string | null;
  failures: Generated<number>;
  checked_at: Date | null;
  changed_at: Generated<Date>;
  next_check_at: Date;
  claim: Generated<number>;
}

interface DashboardsTable {
  id: string;
  title: string;
  roles: string[] | null;
  owner: string | null;
  version: number;
  definition: Json;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

interface DashboardVersionsTable {
  dashboard_id: string;
  version: number;
  title: string;
  definition: Json;
  saved_by: string;
  saved_at: Generated<Date>;
}

export interface MonitoringTables {
  system_minutes: SystemMinutesTable;
  integration_health: IntegrationHealthTable;
  dashboards: DashboardsTable;
  dashboard_versions: DashboardVersionsTable;
}
