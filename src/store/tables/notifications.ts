import type { Generated } from 'kysely';
import type { GeneratedJson, Json } from './json.ts';

interface NotificationChannelsTable {
  id: string;
  name: string;
  kind: 'webhook' | 'slack' | 'email' | 'pagerduty' | 'discord' | 'teams';
  settings: Json;
  secret_envelope: Json;
  key_id: string;
  send_resolved: Generated<boolean>;
  active: Generated<boolean>;
  version: Generated<number>;
  failures: Generated<number>;
  failing_since: Date | null;
  last_error: string | null;
  last_delivered_at: Date | null;
  tested_at: Date | null;
  test_ok: boolean | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

interface NotificationPoliciesTable {
  id: string;
  name: string;
  position: number;
  is_default: Generated<boolean>;
  matchers: Json;
  group_by: string[];
  go_on: Generated<boolean>;
  channels: string[] | null;
  fallback_channel: string | null;
  steps: GeneratedJson;
  group_wait_ms: number;
  group_interval_ms: number;
  repeat_interval_ms: number;
  version: Generated<number>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

interface SilencesTable {
  id: string;
  matchers: Json;
  starts_at: Date;
  ends_at: Date;
  author: string;
  comment: string;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

interface MaintenanceWindowsTable {
  id: string;
  name: string;
  matchers: Json;
  starts_at: Date | null;
  ends_at: Date | null;
  cron: string | null;
  timezone: string | null;
  duration_ms: number | null;
  author: string;
  comment: string;
  created_at: Generated<Date>;
}

interface InhibitionRulesTable {
  id: string;
  name: string;
  source_matchers: Json;
  target_matchers: Json;
  equal_labels: string[];
  created_at: Generated<Date>;
  linger_ms: Generated<number>;
}

interface NotifiedAlertsTable {
  alert_key: string;
  rule_id: string;
  fingerprint: string;
  labels: Json<Record<string, string>>;
  annotations: Json<Record<string, string>>;
  notify: Json;
  value: number | null;
  condition: string;
  starts_at: Date;
  ends_at: Date | null;
  reason: Generated<string>;
}

interface AlertAcknowledgementsTable {
  alert_key: string;
  author: string;
  comment: string;
  acknowledged_at: Date;
  until: Date | null;
}

interface AlertGroupsTable {
  id: string;
  policy_id: string;
  labels: Json<Record<string, string>>;
  channels: string[] | null;
  next_flush_at: Date | null;
  has_flushed: Generated<boolean>;
  episode_at: Date | null;
  level: Generated<number>;
  due_at: Date | null;
  updated_at: Generated<Date>;
}

interface AlertGroupMembersTable {
  group_id: string;
  alert_key: string;
}

interface AlertGroupLogTable {
  group_id: string;
  channel_id: string;
  firing: string[];
  resolved: string[];
  at: Date;
}

interface NotificationsTable {
  id: string;
  group_id: string;
  policy_id: string;
  channel_id: string;
  channel_name: string;
  reason: string;
  message: Json;
  fallback_channel_id: string | null;
  fallback_of: string | null;
  status: Generated<'pending' | 'delivered' | 'failed'>;
  attempts: Generated<number>;
  due_at: Date;
  lease_token: Generated<number>;
  lease_until: Date | null;
  last_error: string | null;
  created_at: Date;
  finished_at: Date | null;
}

interface NotificationAttemptsTable {
  notification_id: string;
  attempt: number;
  at: Date;
  duration_ms: number;
  ok: boolean;
  status: number | null;
  detail: string;
}

interface NotificationIntakeTable {
  id: Generated<boolean>;
  seq: number;
}

export interface NotificationTables {
  notification_channels: NotificationChannelsTable;
  notification_policies: NotificationPoliciesTable;
  silences: SilencesTable;
  maintenance_windows: MaintenanceWindowsTable;
  inhibition_rules: InhibitionRulesTable;
  notified_alerts: NotifiedAlertsTable;
  alert_acknowledgements: AlertAcknowledgementsTable;
  alert_groups: AlertGroupsTable;
  alert_group_members: AlertGroupMembersTable;
  alert_group_log: AlertGroupLogTable;
  notifications: NotificationsTable;
  notification_attempts: NotificationAttemptsTable;
  notification_intake: NotificationIntakeTable;
}
