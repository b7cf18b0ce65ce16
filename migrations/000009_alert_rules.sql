-- Alert rules, the alerts they make, and what became of them.

-- 'rules' rises with every change of a rule, 'changes' with every row of alert_changes, each in the transaction of
-- the change and held to its end: who has read up to a number has missed nothing before it.
create table alert_counters (
  name text primary key check (name in ('rules', 'changes')),
  value bigint not null
);
insert into alert_counters (name, value) values ('rules', 0), ('changes', 0);

create table alert_rules (
  id text primary key,
  -- Which rules are evaluated together; see alert_shards.
  shard smallint not null,
  name text not null,
  kind text not null check (kind in ('performance', 'security', 'quality', 'system')),
  severity text not null check (severity in ('critical', 'error', 'warning', 'info')),
  metric text not null,
  enabled boolean not null,
  -- The other fields.
  definition jsonb not null,
  version integer not null default 1,
  -- Rises when what is measured changes: alerts made under an earlier one are ended.
  query_version integer not null default 1,
  -- Of alert_counters when it was written.
  revision bigint not null,
  -- Of a rule that comes with the product: it is made once, and not again after it was deleted.
  default_key text unique,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  -- The row stays until its alerts are resolved.
  deleted_at timestamptz
);
create index alert_rules_by_revision on alert_rules (revision);
create index alert_rules_by_shard on alert_rules (shard);

-- Rules are evaluated a shard at a time by whoever has the lease. A claim raises the token, which takes the right to
-- write from any earlier owner.
create table alert_shards (
  shard smallint primary key,
  lease_token bigint not null default 0,
  lease_until timestamptz,
  -- The latest evaluation whose outcome is stored.
  evaluated_at timestamptz
);
insert into alert_shards (shard) select generate_series(0, 15);

-- Alerts that are not normal, those resolved lately, and series whose absence would be an alert.
create table alert_instances (
  rule_id text not null references alert_rules (id) on delete cascade,
  fingerprint text not null,
  query_version integer not null,
  labels jsonb not null,
  integration_id text,
  state text not null check (state in ('normal', 'pending', 'firing', 'recovering', 'no_data', 'error')),
  reason text not null,
  value double precision,
  active_since timestamptz,
  fired_at timestamptz,
  recovered_since timestamptz,
  resolved_at timestamptz,
  -- When the state became what it is.
  changed_at timestamptz not null,
  evaluated_at timestamptz not null,
  evidence jsonb not null,
  primary key (rule_id, fingerprint)
);
create index alert_instances_by_change on alert_instances (changed_at, rule_id, fingerprint);
create index alert_instances_by_integration on alert_instances (integration_id, changed_at);

-- Every transition, in the order of commits. Whoever notifies keeps its own place.
create table alert_changes (
  seq bigint primary key,
  rule_id text not null,
  fingerprint text not null,
  rule_name text not null,
  kind text not null,
  severity text not null,
  from_state text not null,
  to_state text not null,
  reason text not null,
  labels jsonb not null,
  annotations jsonb not null,
  notify jsonb not null,
  integration_id text,
  value double precision,
  evidence jsonb not null,
  at timestamptz not null
);
create index alert_changes_by_alert on alert_changes (rule_id, fingerprint, seq);
create index alert_changes_by_integration on alert_changes (integration_id, seq);

-- Rules whose last evaluation failed.
create table alert_rule_failures (
  rule_id text primary key references alert_rules (id) on delete cascade,
  error text not null,
  since timestamptz not null
);
