-- Who is told of alerts: channels, policies, what mutes, acknowledgements, groups, and every notification.

create table notification_channels (
  id text primary key,
  name text not null unique,
  kind text not null check (kind in ('webhook', 'slack', 'email', 'pagerduty', 'discord', 'teams')),
  -- What may be shown; addresses that are secrets and keys are in the envelope.
  settings jsonb not null,
  secret_envelope jsonb not null,
  key_id text not null references installation_keys (id),
  send_resolved boolean not null default true,
  active boolean not null default true,
  version integer not null default 1,
  -- Notifications given up in a row, and since when; null: the last one arrived.
  failures integer not null default 0,
  failing_since timestamptz,
  last_error text,
  last_delivered_at timestamptz,
  tested_at timestamptz,
  test_ok boolean,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index notification_channels_by_key on notification_channels (key_id);

create table notification_policies (
  id text primary key,
  name text not null,
  -- Looked at in this order, the default policy last.
  position integer not null,
  is_default boolean not null default false,
  matchers jsonb not null,
  group_by text[] not null,
  go_on boolean not null default false,
  -- Null: every channel that is active.
  channels text[],
  fallback_channel text references notification_channels (id) on delete set null,
  steps jsonb not null default '[]',
  group_wait_ms bigint not null,
  group_interval_ms bigint not null,
  repeat_interval_ms bigint not null,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index notification_policies_default on notification_policies (is_default) where is_default;

insert into notification_policies
  (id, name, position, is_default, matchers, group_by, group_wait_ms, group_interval_ms, repeat_interval_ms)
values ('apo_default', 'Default', 2147483647, true, '[]', '{alertname,integrationId}', 30000, 300000, 14400000);

create table silences (
  id text primary key,
  matchers jsonb not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null check (ends_at > starts_at),
  author text not null,
  comment text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index silences_by_end on silences (ends_at);

create table maintenance_windows (
  id text primary key,
  name text not null,
  matchers jsonb not null,
  -- Once …
  starts_at timestamptz,
  ends_at timestamptz,
  -- … or again and again.
  cron text,
  timezone text,
  duration_ms bigint,
  author text not null,
  comment text not null,
  created_at timestamptz not null default now(),
  check ((cron is null) = (starts_at is not null and ends_at > starts_at)),
  check ((cron is null) = (timezone is null) and (cron is null) = (duration_ms is null))
);

create table inhibition_rules (
  id text primary key,
  name text not null,
  source_matchers jsonb not null,
  target_matchers jsonb not null,
  equal_labels text[] not null,
  created_at timestamptz not null default now()
);

-- A cause is told of, what follows from it is not. Rules of one's own join in by the label "inhibits".
insert into inhibition_rules (id, name, source_matchers, target_matchers, equal_labels) values
  ('inh_refused_credentials', 'Refused credentials explain failures of the integration',
   '[{"label": "alertname", "op": "=", "value": "Credentials are refused"}]',
   '[{"label": "alertname", "op": "=~", "value": "Many errors|Low success rate|Syncs fail|No sync for long"}]',
   '{integrationId}'),
  ('inh_many_errors', 'Many errors explain a low success rate',
   '[{"label": "alertname", "op": "=", "value": "Many errors"}]',
   '[{"label": "alertname", "op": "=", "value": "Low success rate"}]',
   '{integrationId}'),
  ('inh_integration', 'What stops an integration holds its other alerts back',
   '[{"label": "inhibits", "op": "=", "value": "integration"}]',
   '[{"label": "integrationId", "op": "!=", "value": ""}, {"label": "inhibits", "op": "!~", "value": "integration|platform"}]',
   '{integrationId}'),
  ('inh_platform', 'A provider that is down holds alerts of all its integrations back',
   '[{"label": "inhibits", "op": "=", "value": "platform"}]',
   '[{"label": "platform", "op": "!=", "value": ""}, {"label": "inhibits", "op": "!=", "value": "platform"}]',
   '{platform}');

-- Alerts that are active, as alert_changes told of them: what groups are made of.
create table notified_alerts (
  -- Rule and fingerprint.
  alert_key text primary key,
  rule_id text not null,
  fingerprint text not null,
  labels jsonb not null,
  annotations jsonb not null,
  notify jsonb not null,
  value double precision,
  -- What the value is compared with, such as "> 5000"; empty when there is no rule.
  condition text not null,
  starts_at timestamptz not null,
  -- Set until every group has told of the end.
  ends_at timestamptz
);
create index notified_alerts_by_labels on notified_alerts using gin (labels jsonb_path_ops) where ends_at is null;

-- Ends with the alert: then the row is deleted, and the audit log keeps who it was.
create table alert_acknowledgements (
  alert_key text primary key references notified_alerts (alert_key) on delete cascade,
  author text not null,
  comment text not null,
  acknowledged_at timestamptz not null,
  -- Null: until it is resolved.
  until timestamptz
);

create table alert_groups (
  id text primary key,
  policy_id text not null references notification_policies (id) on delete cascade,
  labels jsonb not null,
  -- Named by rules; null: those of the policy.
  channels text[],
  next_flush_at timestamptz,
  has_flushed boolean not null default false,
  episode_at timestamptz,
  level integer not null default 0,
  -- When it is to be looked at next; null while it is empty.
  due_at timestamptz,
  updated_at timestamptz not null default now()
);
create index alert_groups_by_due on alert_groups (due_at) where due_at is not null;
create index alert_groups_by_policy on alert_groups (policy_id);
create index alert_groups_empty on alert_groups (updated_at) where due_at is null;

create table alert_group_members (
  group_id text not null references alert_groups (id) on delete cascade,
  alert_key text not null references notified_alerts (alert_key) on delete cascade,
  primary key (group_id, alert_key)
);
create index alert_group_members_by_alert on alert_group_members (alert_key);

-- What each channel was last told of a group.
create table alert_group_log (
  group_id text not null references alert_groups (id) on delete cascade,
  channel_id text not null references notification_channels (id) on delete cascade,
  firing text[] not null,
  resolved text[] not null,
  at timestamptz not null,
  primary key (group_id, channel_id)
);
create index alert_group_log_by_channel on alert_group_log (channel_id);

create table notifications (
  -- Also the idempotency key: the same at every attempt.
  id text primary key,
  group_id text not null,
  policy_id text not null,
  -- The name stays readable when the channel is gone.
  channel_id text not null,
  channel_name text not null,
  reason text not null,
  -- Bounded: docs/notifications.md.
  message jsonb not null,
  fallback_channel_id text,
  -- Of the notification that this one stands in for.
  fallback_of text,
  status text not null default 'pending' check (status in ('pending', 'delivered', 'failed')),
  attempts integer not null default 0,
  due_at timestamptz not null,
  -- A claim raises the token, which takes the right to write from any earlier owner.
  lease_token bigint not null default 0,
  lease_until timestamptz,
  last_error text,
  created_at timestamptz not null,
  finished_at timestamptz
);
create index notifications_pending on notifications (due_at) where status = 'pending';
-- One after the other to a channel about a group.
create index notifications_in_order on notifications (group_id, channel_id, id) where status = 'pending';
create index notifications_by_channel on notifications (channel_id, id desc);
create index notifications_finished on notifications (finished_at) where finished_at is not null;

create table notification_attempts (
  notification_id text not null references notifications (id) on delete cascade,
  attempt integer not null,
  at timestamptz not null,
  duration_ms integer not null,
  ok boolean not null,
  -- Of HTTP; null where none came.
  status integer,
  detail text not null,
  primary key (notification_id, attempt)
);

-- Up to which row of alert_changes the groups know. Its lock makes one replica at a time take changes in.
create table notification_intake (
  id boolean primary key default true check (id),
  seq bigint not null
);
insert into notification_intake (seq) values (0);
