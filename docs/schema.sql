-- Made by scripts/dumpSchema.ts from migrations/; not to be edited.

create sequence log_record_numbers;

create sequence records_change_seq;

CREATE OR REPLACE FUNCTION public.raise_access_version()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare
  rules constant boolean := coalesce(tg_argv[0], '') = 'rules';
  this constant bigint := pg_current_xact_id()::text::bigint;
begin
  update access_version
  set version = version + 1,
    rules_version = rules_version + rules::integer,
    rules_raised_by = case when rules then this else rules_raised_by end
  where xmin <> pg_current_xact_id()::xid or (rules and rules_raised_by <> this);
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.refuse_audit_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception '% of % is refused: the audit log is append-only', tg_op, tg_table_name
    using errcode = 'insufficient_privilege';
end $function$
;

CREATE OR REPLACE FUNCTION public.use_rate_limits(operation text, time_ms double precision, numbers double precision[], keys text[], strategies text[], limits double precision[], windows double precision[], capacities double precision[])
 RETURNS double precision[]
 LANGUAGE plpgsql
AS $function$
declare
  now_ms double precision := coalesce(time_ms, floor(extract(epoch from clock_timestamp()) * 1000));
  cost double precision := numbers[1];
  states rate_limit_usage[];
  state rate_limit_usage;
  aligned double precision;
  waits double precision;
  lacking double precision;
  grain double precision;
  stamp double precision := now_ms + case when operation = 'take' then numbers[4] else 0 end;
  refusing integer := 1;
  longest double precision := 0;
  remaining double precision := 'infinity';
  valid_ms double precision := numbers[4];
  granted double precision := 0;
  last integer;
begin
  for index in 1 .. cardinality(keys) loop
    insert into rate_limit_usage values (keys[index], strategies[index], 0, null, now_ms, '{}', '{}') on conflict do nothing;
    select * into strict state from rate_limit_usage where key = keys[index] for update;

    if state.strategy <> strategies[index] then
      state.used := case
        when state.idle_at_ms <= now_ms then 0
        when state.strategy = 'sliding_window' then (select coalesce(sum(one), 0) from unnest(state.run_costs) one)
        else ceil(state.used - 1e-9) end;
      state.strategy := strategies[index];
      state.at_ms := null;
      state.run_times := '{}';
      state.run_costs := '{}';
      if state.strategy = 'sliding_window' and state.used > 0 then
        state.run_times := array[now_ms];
        state.run_costs := array[state.used];
      end if;
    end if;

    if state.strategy = 'fixed_window' then
      aligned := floor(now_ms / windows[index]) * windows[index];
      if state.at_ms is null then state.at_ms := aligned;
      elsif now_ms < state.at_ms then state.at_ms := now_ms;
      elsif now_ms >= state.at_ms + windows[index] then
        state.used := 0;
        state.at_ms := greatest(aligned, state.at_ms + windows[index]);
      end if;
    elsif state.strategy = 'token_bucket' then
      if now_ms > state.at_ms then
        state.used := greatest(0, state.used - (now_ms - state.at_ms) * limits[index] / windows[index]);
      end if;
      state.at_ms := now_ms;
    else
      -- What is later than any lease was written before the clock was set back.
      select coalesce(array_agg(time order by time), '{}'), coalesce(array_agg(total order by time), '{}'),
             coalesce(sum(total), 0)
      into state.run_times, state.run_costs, state.used
      from (
        select least(time, now_ms + 1000) as time, sum(one) as total
        from unnest(state.run_times, state.run_costs) as run (time, one)
        where least(time, now_ms + 1000) + windows[index] > now_ms
        group by least(time, now_ms + 1000)
      ) runs;
    end if;

    if operation = 'take' then
      lacking := state.used + cost - capacities[index];
      waits := 0;
      if cost > capacities[index] then waits := 'infinity';
      elsif lacking > 1e-9 and state.strategy = 'token_bucket' then waits := lacking * windows[index] / limits[index];
      elsif lacking > 1e-9 and state.strategy = 'fixed_window' then waits := state.at_ms + windows[index] - now_ms;
      elsif lacking > 1e-9 then
        waits := windows[index];
        for run in 1 .. cardinality(state.run_times) loop
          lacking := lacking - state.run_costs[run];
          if lacking <= 0 then
            waits := state.run_times[run] + windows[index] - now_ms;
            exit;
          end if;
        end loop;
      end if;
      if waits > longest then
        refusing := index;
        longest := waits;
      end if;
      remaining := least(remaining, capacities[index] - state.used);
      if state.strategy = 'fixed_window' then
        valid_ms := least(valid_ms, state.at_ms + windows[index] - now_ms);
      end if;
    end if;
    states[index] := state;
  end loop;

  if operation = 'charge' then granted := cost;
  elsif operation = 'take' and longest = 0 then
    granted := least(numbers[2], greatest(cost, floor((remaining + 1e-9) / numbers[3])));
  end if;

  for index in 1 .. cardinality(keys) loop
    state := states[index];
    if operation = 'give' then
      if state.strategy = 'token_bucket' then
        -- What the bucket has gained since may already be what is given back.
        state.used := greatest(0, state.used
          - greatest(0, cost - greatest(0, now_ms - numbers[2]) * limits[index] / windows[index]));
      elsif state.strategy = 'fixed_window' then
        if state.at_ms <= numbers[2] then state.used := greatest(0, state.used - cost); end if;
      elsif numbers[2] + numbers[3] + windows[index] > now_ms then
        for run in 1 .. cardinality(state.run_times) loop
          if state.run_times[run] >= numbers[2] + numbers[3] then
            state.run_costs[run] := greatest(0, state.run_costs[run] - cost);
            exit;
          end if;
        end loop;
      end if;
    elsif granted > 0 then
      state.used := state.used + granted;
      if state.strategy = 'sliding_window' then
        last := cardinality(state.run_times);
        if last > 0 and state.run_times[last] >= stamp then
          state.run_costs[last] := state.run_costs[last] + granted;
        else
          state.run_times := state.run_times || stamp;
          state.run_costs := state.run_costs || granted;
        end if;
        grain := 1;
        while cardinality(state.run_times) > case when grain = 1 then 256 else 128 end loop
          grain := grain * 2;
          select array_agg(time order by time), array_agg(total order by time) into state.run_times, state.run_costs
          from (
            select ceil(time / grain) * grain as time, sum(one) as total
            from unnest(state.run_times, state.run_costs) as run (time, one) group by ceil(time / grain)
          ) runs;
        end loop;
      end if;
    end if;
    state.idle_at_ms := case state.strategy
      when 'fixed_window' then state.at_ms + windows[index]
      when 'token_bucket' then now_ms + state.used * windows[index] / limits[index]
      else coalesce(state.run_times[cardinality(state.run_times)] + windows[index], now_ms) end;
    update rate_limit_usage set (strategy, used, at_ms, idle_at_ms, run_times, run_costs)
      = (state.strategy, state.used, state.at_ms, state.idle_at_ms, state.run_times, state.run_costs)
    where key = keys[index];
    states[index] := state;
  end loop;
  return array[granted, greatest(0, floor(remaining - granted + 1e-9)), refusing - 1,
               greatest(0, states[refusing].idle_at_ms - now_ms), longest, now_ms, valid_ms];
end $function$
;

create table access_version (
  id boolean not null default true,
  version bigint not null default 1,
  rules_version bigint not null default 1,
  rules_raised_by bigint not null default 0,
  constraint access_version_pkey PRIMARY KEY (id),
  constraint access_version_id_check CHECK (id)
);

create table alert_acknowledgements (
  alert_key text not null,
  author text not null,
  comment text not null,
  acknowledged_at timestamp with time zone not null,
  until timestamp with time zone,
  constraint alert_acknowledgements_pkey PRIMARY KEY (alert_key),
  constraint alert_acknowledgements_alert_key_fkey FOREIGN KEY (alert_key) REFERENCES notified_alerts(alert_key) ON DELETE CASCADE
);

create table alert_changes (
  seq bigint not null,
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
  at timestamp with time zone not null,
  constraint alert_changes_pkey PRIMARY KEY (seq)
);

create table alert_counters (
  name text not null,
  value bigint not null,
  constraint alert_counters_pkey PRIMARY KEY (name),
  constraint alert_counters_name_check CHECK ((name = ANY (ARRAY['rules'::text, 'changes'::text])))
);

create table alert_group_log (
  group_id text not null,
  channel_id text not null,
  firing text[] not null,
  resolved text[] not null,
  at timestamp with time zone not null,
  constraint alert_group_log_pkey PRIMARY KEY (group_id, channel_id),
  constraint alert_group_log_channel_id_fkey FOREIGN KEY (channel_id) REFERENCES notification_channels(id) ON DELETE CASCADE,
  constraint alert_group_log_group_id_fkey FOREIGN KEY (group_id) REFERENCES alert_groups(id) ON DELETE CASCADE
);

create table alert_group_members (
  group_id text not null,
  alert_key text not null,
  constraint alert_group_members_pkey PRIMARY KEY (group_id, alert_key),
  constraint alert_group_members_alert_key_fkey FOREIGN KEY (alert_key) REFERENCES notified_alerts(alert_key) ON DELETE CASCADE,
  constraint alert_group_members_group_id_fkey FOREIGN KEY (group_id) REFERENCES alert_groups(id) ON DELETE CASCADE
);

create table alert_groups (
  id text not null,
  policy_id text not null,
  labels jsonb not null,
  channels text[],
  next_flush_at timestamp with time zone,
  has_flushed boolean not null default false,
  episode_at timestamp with time zone,
  level integer not null default 0,
  due_at timestamp with time zone,
  updated_at timestamp with time zone not null default now(),
  constraint alert_groups_pkey PRIMARY KEY (id),
  constraint alert_groups_policy_id_fkey FOREIGN KEY (policy_id) REFERENCES notification_policies(id) ON DELETE CASCADE
);

create table alert_instances (
  rule_id text not null,
  fingerprint text not null,
  query_version integer not null,
  labels jsonb not null,
  integration_id text,
  state text not null,
  reason text not null,
  value double precision,
  active_since timestamp with time zone,
  fired_at timestamp with time zone,
  recovered_since timestamp with time zone,
  resolved_at timestamp with time zone,
  changed_at timestamp with time zone not null,
  evaluated_at timestamp with time zone not null,
  evidence jsonb not null,
  constraint alert_instances_pkey PRIMARY KEY (rule_id, fingerprint),
  constraint alert_instances_rule_id_fkey FOREIGN KEY (rule_id) REFERENCES alert_rules(id) ON DELETE CASCADE,
  constraint alert_instances_state_check CHECK ((state = ANY (ARRAY['normal'::text, 'pending'::text, 'firing'::text, 'recovering'::text, 'no_data'::text, 'error'::text])))
);

create table alert_replicas (
  id text not null,
  lease_until timestamp with time zone not null,
  constraint alert_replicas_pkey PRIMARY KEY (id)
);

create table alert_rule_failures (
  rule_id text not null,
  error text not null,
  since timestamp with time zone not null,
  constraint alert_rule_failures_pkey PRIMARY KEY (rule_id),
  constraint alert_rule_failures_rule_id_fkey FOREIGN KEY (rule_id) REFERENCES alert_rules(id) ON DELETE CASCADE
);

create table alert_rules (
  id text not null,
  shard smallint not null,
  name text not null,
  kind text not null,
  severity text not null,
  metric text not null,
  enabled boolean not null,
  definition jsonb not null,
  version integer not null default 1,
  query_version integer not null default 1,
  revision bigint not null,
  default_key text,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  deleted_at timestamp with time zone,
  constraint alert_rules_default_key_key UNIQUE (default_key),
  constraint alert_rules_pkey PRIMARY KEY (id),
  constraint alert_rules_kind_check CHECK ((kind = ANY (ARRAY['performance'::text, 'security'::text, 'quality'::text, 'system'::text]))),
  constraint alert_rules_severity_check CHECK ((severity = ANY (ARRAY['critical'::text, 'error'::text, 'warning'::text, 'info'::text])))
);

create table alert_shards (
  shard smallint not null,
  lease_token bigint not null default 0,
  lease_until timestamp with time zone,
  evaluated_at timestamp with time zone,
  constraint alert_shards_pkey PRIMARY KEY (shard)
);

create table api_keys (
  id text not null,
  user_id text not null,
  name text not null,
  secret_hash bytea not null,
  permissions text[],
  integration_ids text[],
  status text not null default 'active'::text,
  frozen_reason text,
  expires_at timestamp with time zone,
  last_used_at timestamp with time zone,
  rotated_from text,
  overlap_until timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  revoked_at timestamp with time zone,
  constraint api_keys_change_access TRIGGER DEFERRABLE INITIALLY DEFERRED,
  constraint api_keys_update_access TRIGGER DEFERRABLE INITIALLY DEFERRED,
  constraint api_keys_pkey PRIMARY KEY (id),
  constraint api_keys_rotated_from_fkey FOREIGN KEY (rotated_from) REFERENCES api_keys(id) ON DELETE SET NULL,
  constraint api_keys_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint api_keys_status_check CHECK ((status = ANY (ARRAY['active'::text, 'frozen'::text, 'revoked'::text])))
);

create table audit_checkpoints (
  tree_size bigint not null,
  root_hash bytea not null,
  note text not null,
  created_at timestamp with time zone not null default now(),
  constraint audit_checkpoints_pkey PRIMARY KEY (tree_size)
);

create table audit_checks (
  pass text not null,
  size bigint not null default 0,
  frontier bytea not null default '\x'::bytea,
  began_at timestamp with time zone,
  finished_at timestamp with time zone,
  checked_at timestamp with time zone,
  finding jsonb,
  constraint audit_checks_pkey PRIMARY KEY (pass),
  constraint audit_checks_pass_check CHECK ((pass = ANY (ARRAY['new'::text, 'all'::text])))
);

create table audit_entries (
  seq bigint not null,
  id text not null,
  event bytea not null,
  leaf_hash bytea not null,
  occurred_at timestamp with time zone not null,
  actor_kind text not null,
  actor_id text not null,
  action text not null,
  outcome text not null,
  target_kind text,
  target_id text,
  integration_id text,
  constraint audit_entries_pkey PRIMARY KEY (seq)
);

create table audit_nodes (
  level smallint not null,
  idx bigint not null,
  hash bytea not null,
  constraint audit_nodes_pkey PRIMARY KEY (level, idx)
);

create table audit_pending (
  id text not null,
  event bytea not null,
  constraint audit_pending_pkey PRIMARY KEY (id)
) with (autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=5000);

create table audit_signing_keys (
  id text not null,
  verifier_key text not null,
  secret_envelope jsonb not null,
  key_id text not null,
  created_at timestamp with time zone not null default now(),
  constraint audit_signing_keys_pkey PRIMARY KEY (id),
  constraint audit_signing_keys_key_id_fkey FOREIGN KEY (key_id) REFERENCES installation_keys(id)
);

create table audit_tree (
  singleton boolean not null default true,
  size bigint not null,
  frontier bytea not null,
  signed_size bigint not null,
  unsigned_since timestamp with time zone,
  constraint audit_tree_pkey PRIMARY KEY (singleton),
  constraint audit_tree_singleton_check CHECK (singleton)
);

create table break_glass (
  id text not null,
  user_id text not null,
  permissions text[] not null,
  scope_kind text not null,
  scope_value text,
  reason text not null,
  duration_seconds integer not null,
  requested_at timestamp with time zone not null,
  approved_by text,
  approved_at timestamp with time zone,
  expires_at timestamp with time zone,
  ended_by text,
  ended_at timestamp with time zone,
  constraint break_glass_change_access TRIGGER DEFERRABLE INITIALLY DEFERRED,
  constraint break_glass_pkey PRIMARY KEY (id),
  constraint break_glass_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint break_glass_check CHECK (((scope_kind = 'all'::text) = (scope_value IS NULL))),
  constraint break_glass_check1 CHECK ((approved_by <> user_id)),
  constraint break_glass_check2 CHECK ((((approved_by IS NULL) = (approved_at IS NULL)) AND ((approved_at IS NULL) = (expires_at IS NULL)))),
  constraint break_glass_check3 CHECK (((ended_by IS NULL) = (ended_at IS NULL))),
  constraint break_glass_duration_seconds_check CHECK (((duration_seconds >= 1) AND (duration_seconds <= 28800))),
  constraint break_glass_scope_kind_check CHECK ((scope_kind = ANY (ARRAY['all'::text, 'integration'::text, 'platform'::text, 'owner'::text])))
);

create table connectors (
  platform text not null,
  version integer not null,
  source text not null,
  created_at timestamp with time zone not null default now(),
  deleted_at timestamp with time zone,
  constraint connectors_pkey PRIMARY KEY (platform, version)
);

create table credentials (
  integration_id text not null,
  envelope jsonb not null,
  key_id text not null,
  fields text[] not null,
  origins text[] not null default '{}'::text[],
  version bigint not null default 1,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint credentials_pkey PRIMARY KEY (integration_id),
  constraint credentials_integration_id_fkey FOREIGN KEY (integration_id) REFERENCES integrations(id) ON DELETE CASCADE,
  constraint credentials_key_id_fkey FOREIGN KEY (key_id) REFERENCES installation_keys(id)
);

create table dashboard_versions (
  dashboard_id text not null,
  version integer not null,
  title text not null,
  definition jsonb not null,
  saved_by text not null,
  saved_at timestamp with time zone not null default now(),
  constraint dashboard_versions_pkey PRIMARY KEY (dashboard_id, version),
  constraint dashboard_versions_dashboard_id_fkey FOREIGN KEY (dashboard_id) REFERENCES dashboards(id) ON DELETE CASCADE
);

create table dashboards (
  id text not null,
  title text not null,
  roles text[],
  owner text,
  version integer not null,
  definition jsonb not null,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint dashboards_pkey PRIMARY KEY (id)
);

create table grants (
  id text not null,
  user_id text not null,
  effect text not null,
  permissions text[] not null,
  scope_kind text not null,
  scope_value text,
  reason text not null,
  created_by text not null,
  created_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone,
  constraint grants_change_access TRIGGER DEFERRABLE INITIALLY DEFERRED,
  constraint grants_pkey PRIMARY KEY (id),
  constraint grants_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint grants_check CHECK (((scope_kind = 'all'::text) = (scope_value IS NULL))),
  constraint grants_effect_check CHECK ((effect = ANY (ARRAY['allow'::text, 'deny'::text]))),
  constraint grants_scope_kind_check CHECK ((scope_kind = ANY (ARRAY['all'::text, 'integration'::text, 'platform'::text, 'owner'::text])))
);

create table idempotency_keys (
  scope text not null,
  key text not null,
  request_hash bytea not null,
  resource_name text not null,
  response jsonb,
  locked_until timestamp with time zone not null,
  created_at timestamp with time zone not null default now(),
  constraint idempotency_keys_pkey PRIMARY KEY (scope, key)
);

create table inhibition_rules (
  id text not null,
  name text not null,
  source_matchers jsonb not null,
  target_matchers jsonb not null,
  equal_labels text[] not null,
  created_at timestamp with time zone not null default now(),
  linger_ms bigint not null default 0,
  constraint inhibition_rules_pkey PRIMARY KEY (id)
);

create table installation_keys (
  id text not null,
  status text not null,
  salt bytea not null,
  iterations integer not null,
  sealed_key jsonb not null,
  created_at timestamp with time zone not null default now(),
  constraint installation_keys_pkey PRIMARY KEY (id),
  constraint installation_keys_status_check CHECK ((status = ANY (ARRAY['active'::text, 'retiring'::text])))
);

create table integration_health (
  integration_id text not null,
  state text not null,
  source text not null,
  outcome text,
  detail text,
  failures integer not null default 0,
  checked_at timestamp with time zone,
  changed_at timestamp with time zone not null default now(),
  next_check_at timestamp with time zone not null,
  claim bigint not null default 0,
  constraint integration_health_pkey PRIMARY KEY (integration_id),
  constraint integration_health_integration_id_fkey FOREIGN KEY (integration_id) REFERENCES integrations(id) ON DELETE CASCADE,
  constraint integration_health_source_check CHECK ((source = ANY (ARRAY['traffic'::text, 'probe'::text, 'none'::text]))),
  constraint integration_health_state_check CHECK ((state = ANY (ARRAY['pass'::text, 'warn'::text, 'fail'::text, 'unknown'::text])))
);

create table integration_tuning (
  integration_id text not null,
  page_size_percent integer,
  stream_concurrency integer,
  rate_share_percent integer,
  connect_ms integer,
  headers_ms integer,
  total_ms integer,
  version bigint not null default 0,
  updated_at timestamp with time zone,
  cache_validators boolean,
  constraint integration_tuning_pkey PRIMARY KEY (integration_id),
  constraint integration_tuning_integration_id_fkey FOREIGN KEY (integration_id) REFERENCES integrations(id) ON DELETE CASCADE,
  constraint integration_tuning_connect_ms_check CHECK (((connect_ms >= 1000) AND (connect_ms <= 30000))),
  constraint integration_tuning_headers_ms_check CHECK (((headers_ms >= 2000) AND (headers_ms <= 300000))),
  constraint integration_tuning_page_size_percent_check CHECK (((page_size_percent >= 10) AND (page_size_percent <= 1000))),
  constraint integration_tuning_rate_share_percent_check CHECK (((rate_share_percent >= 10) AND (rate_share_percent <= 100))),
  constraint integration_tuning_stream_concurrency_check CHECK (((stream_concurrency >= 1) AND (stream_concurrency <= 4))),
  constraint integration_tuning_total_ms_check CHECK (((total_ms >= 5000) AND (total_ms <= 600000)))
);

create table integrations (
  id text not null,
  owner text not null,
  name text not null,
  type text not null,
  platform text not null,
  status text not null,
  status_reason text,
  configuration jsonb not null,
  version bigint not null default 1,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint integrations_pkey PRIMARY KEY (id),
  constraint integrations_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'connected'::text, 'disconnected'::text, 'error'::text, 'deleting'::text])))
);

create table invitations (
  id text not null,
  email text not null,
  role text not null,
  token_hash bytea,
  invited_by text not null,
  created_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone not null,
  constraint invitations_pkey PRIMARY KEY (id)
);

create table local_accounts (
  user_id text not null,
  password_hash text not null,
  password_changed_at timestamp with time zone not null default now(),
  constraint local_accounts_pkey PRIMARY KEY (user_id),
  constraint local_accounts_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
);

create table log_block_progress (
  id boolean not null default true,
  upto bigint not null,
  constraint log_block_progress_pkey PRIMARY KEY (id),
  constraint log_block_progress_id_check CHECK (id)
);

create table log_blocks (
  first_seq bigint not null,
  last_seq bigint not null,
  from_at timestamp with time zone not null,
  to_at timestamp with time zone not null,
  words bytea,
  constraint log_blocks_pkey PRIMARY KEY (first_seq)
);

create table log_imports (
  day date not null,
  kept_until timestamp with time zone not null,
  constraint log_imports_pkey PRIMARY KEY (day)
);

create table log_journals (
  id text not null,
  loaded_bytes bigint not null,
  updated_at timestamp with time zone not null default now(),
  constraint log_journals_pkey PRIMARY KEY (id)
);

create table log_levels (
  scope text not null,
  severity smallint not null,
  updated_at timestamp with time zone not null default now(),
  constraint log_levels_pkey PRIMARY KEY (scope)
);

create table log_retention (
  scope text not null,
  severity smallint not null,
  keep_days integer not null,
  constraint log_retention_pkey PRIMARY KEY (scope, severity)
);

create table log_sequence (
  id boolean not null default true,
  next bigint not null,
  constraint log_sequence_pkey PRIMARY KEY (id),
  constraint log_sequence_id_check CHECK (id)
);

create table log_settings (
  id boolean not null default true,
  revision bigint not null,
  max_bytes bigint,
  constraint log_settings_pkey PRIMARY KEY (id),
  constraint log_settings_id_check CHECK (id)
);

create table login_throttles (
  subject text not null,
  failures integer not null,
  last_failed_at timestamp with time zone not null,
  blocked_until timestamp with time zone,
  constraint login_throttles_pkey PRIMARY KEY (subject)
);

create table logs (
  seq bigint not null default nextval('log_record_numbers'::regclass),
  observed_at timestamp with time zone not null,
  at timestamp with time zone not null,
  integration_id text not null,
  severity smallint not null,
  message text not null,
  event_name text,
  operation_id text,
  request_id text,
  trace_id text,
  span_id text,
  attributes jsonb not null,
  constraint logs_pkey PRIMARY KEY (seq, observed_at)
) partition by RANGE (observed_at);

create table maintenance_windows (
  id text not null,
  name text not null,
  matchers jsonb not null,
  starts_at timestamp with time zone,
  ends_at timestamp with time zone,
  cron text,
  timezone text,
  duration_ms bigint,
  author text not null,
  comment text not null,
  created_at timestamp with time zone not null default now(),
  constraint maintenance_windows_pkey PRIMARY KEY (id),
  constraint maintenance_windows_check CHECK (((cron IS NULL) = ((starts_at IS NOT NULL) AND (ends_at > starts_at)))),
  constraint maintenance_windows_check1 CHECK ((((cron IS NULL) = (timezone IS NULL)) AND ((cron IS NULL) = (duration_ms IS NULL))))
);

create table metric_days (
  bucket timestamp with time zone not null,
  integration_id text not null,
  operation text not null,
  outcome text not null,
  calls bigint not null,
  total_ms double precision not null,
  response_bytes bigint not null,
  phases bytea not null,
  constraint metric_days_pkey PRIMARY KEY (integration_id, bucket, operation, outcome)
);

create table metric_hours (
  bucket timestamp with time zone not null,
  integration_id text not null,
  operation text not null,
  outcome text not null,
  calls bigint not null,
  total_ms double precision not null,
  response_bytes bigint not null,
  phases bytea not null,
  constraint metric_hours_pkey PRIMARY KEY (integration_id, bucket, operation, outcome)
) partition by RANGE (bucket);

create table metric_minutes (
  bucket timestamp with time zone not null,
  integration_id text not null,
  operation text not null,
  outcome text not null,
  part text not null,
  calls bigint not null,
  total_ms double precision not null,
  response_bytes bigint not null,
  phases bytea not null,
  constraint metric_minutes_pkey PRIMARY KEY (integration_id, bucket, operation, outcome, part)
) partition by RANGE (bucket);

create table metric_rollups_due (
  resolution text not null,
  bucket timestamp with time zone not null,
  integration_id text not null,
  marks bigint not null default 1,
  constraint metric_rollups_due_pkey PRIMARY KEY (integration_id, resolution, bucket),
  constraint metric_rollups_due_resolution_check CHECK ((resolution = ANY (ARRAY['hour'::text, 'day'::text])))
);

create table notification_attempts (
  notification_id text not null,
  attempt integer not null,
  at timestamp with time zone not null,
  duration_ms integer not null,
  ok boolean not null,
  status integer,
  detail text not null,
  constraint notification_attempts_pkey PRIMARY KEY (notification_id, attempt),
  constraint notification_attempts_notification_id_fkey FOREIGN KEY (notification_id) REFERENCES notifications(id) ON DELETE CASCADE
);

create table notification_channels (
  id text not null,
  name text not null,
  kind text not null,
  settings jsonb not null,
  secret_envelope jsonb not null,
  key_id text not null,
  send_resolved boolean not null default true,
  active boolean not null default true,
  version integer not null default 1,
  failures integer not null default 0,
  failing_since timestamp with time zone,
  last_error text,
  last_delivered_at timestamp with time zone,
  tested_at timestamp with time zone,
  test_ok boolean,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint notification_channels_name_key UNIQUE (name),
  constraint notification_channels_pkey PRIMARY KEY (id),
  constraint notification_channels_key_id_fkey FOREIGN KEY (key_id) REFERENCES installation_keys(id),
  constraint notification_channels_kind_check CHECK ((kind = ANY (ARRAY['webhook'::text, 'slack'::text, 'email'::text, 'pagerduty'::text, 'discord'::text, 'teams'::text])))
);

create table notification_intake (
  id boolean not null default true,
  seq bigint not null,
  constraint notification_intake_pkey PRIMARY KEY (id),
  constraint notification_intake_id_check CHECK (id)
);

create table notification_policies (
  id text not null,
  name text not null,
  "position" integer not null,
  is_default boolean not null default false,
  matchers jsonb not null,
  group_by text[] not null,
  go_on boolean not null default false,
  channels text[],
  fallback_channel text,
  steps jsonb not null default '[]'::jsonb,
  group_wait_ms bigint not null,
  group_interval_ms bigint not null,
  repeat_interval_ms bigint not null,
  version integer not null default 1,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint notification_policies_pkey PRIMARY KEY (id),
  constraint notification_policies_fallback_channel_fkey FOREIGN KEY (fallback_channel) REFERENCES notification_channels(id) ON DELETE SET NULL
);

create table notifications (
  id text not null,
  group_id text not null,
  policy_id text not null,
  channel_id text not null,
  channel_name text not null,
  reason text not null,
  message jsonb not null,
  fallback_channel_id text,
  fallback_of text,
  status text not null default 'pending'::text,
  attempts integer not null default 0,
  due_at timestamp with time zone not null,
  lease_token bigint not null default 0,
  lease_until timestamp with time zone,
  last_error text,
  created_at timestamp with time zone not null,
  finished_at timestamp with time zone,
  constraint notifications_pkey PRIMARY KEY (id),
  constraint notifications_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text])))
);

create table notified_alerts (
  alert_key text not null,
  rule_id text not null,
  fingerprint text not null,
  labels jsonb not null,
  annotations jsonb not null,
  notify jsonb not null,
  value double precision,
  condition text not null,
  starts_at timestamp with time zone not null,
  ends_at timestamp with time zone,
  reason text not null default 'value'::text,
  constraint notified_alerts_pkey PRIMARY KEY (alert_key)
);

create table one_time_tokens (
  id text not null,
  purpose text not null,
  user_id text,
  token_hash bytea not null,
  failures integer not null default 0,
  created_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone not null,
  constraint one_time_tokens_pkey PRIMARY KEY (id),
  constraint one_time_tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint one_time_tokens_purpose_check CHECK ((purpose = ANY (ARRAY['setup'::text, 'passwordReset'::text, 'secondFactor'::text])))
);

create table outgoing_attempts (
  id text not null,
  operation_id text not null,
  integration_id text not null,
  operation text not null,
  attempt smallint not null,
  method text not null,
  host text not null,
  path text not null,
  status smallint,
  outcome text not null,
  started_at timestamp with time zone not null,
  duration_ms real not null,
  wait_ms real not null,
  first_byte_ms real,
  response_bytes bigint not null default 0,
  error text,
  constraint outgoing_attempts_pkey PRIMARY KEY (started_at, id)
) partition by RANGE (started_at);

create table performance_anomalies (
  integration_id text not null,
  bucket timestamp with time zone not null,
  series text not null,
  value double precision not null,
  expected double precision,
  score real not null,
  surprise real not null,
  signal text not null,
  calls bigint not null,
  constraint performance_anomalies_pkey PRIMARY KEY (integration_id, bucket, series),
  constraint performance_anomalies_series_check CHECK ((series = ANY (ARRAY['p95_response_time'::text, 'error_rate'::text])))
);

create table performance_summaries (
  integration_id text not null,
  source text not null,
  refreshed_at timestamp with time zone not null,
  calls bigint not null,
  failed bigint not null,
  throttled bigint not null,
  total_ms double precision not null,
  response_bytes bigint not null,
  p50_ms double precision,
  p95_ms double precision,
  p99_ms double precision,
  score real,
  alarms integer not null,
  degradation text not null,
  degradation_ratio double precision,
  histogram bytea,
  statistics jsonb,
  statistics_until timestamp with time zone,
  constraint performance_summaries_pkey PRIMARY KEY (integration_id, source),
  constraint performance_summaries_source_check CHECK ((source = ANY (ARRAY['measured'::text, 'reported'::text])))
);

create table performance_watch (
  integration_id text not null,
  active_until timestamp with time zone not null default '1970-01-01 00:00:00+00'::timestamp with time zone,
  fed_until timestamp with time zone not null default '1970-01-01 00:00:00+00'::timestamp with time zone,
  points bigint not null default 0,
  detectors bytea,
  summarize_at timestamp with time zone,
  constraint performance_watch_pkey PRIMARY KEY (integration_id)
);

create table rate_limit_clears (
  integration_id text not null,
  revision bigint not null,
  constraint rate_limit_clears_pkey PRIMARY KEY (integration_id)
);

create unlogged table rate_limit_learned (
  integration_id text not null,
  replica_id text not null,
  share double precision not null,
  reason text not null,
  shut_until timestamp with time zone,
  changed_at timestamp with time zone not null,
  constraint rate_limit_learned_pkey PRIMARY KEY (integration_id)
);

create unlogged table rate_limit_replicas (
  id text not null,
  seen_at timestamp with time zone not null,
  constraint rate_limit_replicas_pkey PRIMARY KEY (id)
);

create table rate_limit_revision (
  id boolean not null default true,
  revision bigint not null,
  constraint rate_limit_revision_pkey PRIMARY KEY (id),
  constraint rate_limit_revision_id_check CHECK (id)
);

create unlogged table rate_limit_usage (
  key text not null,
  strategy text not null,
  used double precision not null,
  at_ms double precision,
  idle_at_ms double precision not null,
  run_times double precision[] not null,
  run_costs double precision[] not null,
  constraint rate_limit_usage_pkey PRIMARY KEY (key)
) with (fillfactor=50);

create table rate_limits (
  integration_id text not null,
  action text not null,
  config jsonb not null,
  revision bigint not null,
  updated_at timestamp with time zone not null default now(),
  constraint rate_limits_pkey PRIMARY KEY (integration_id, action)
);

create table records (
  integration_id text not null,
  stream text not null,
  record_key text not null,
  data jsonb not null,
  content_hash bytea not null,
  change_seq bigint not null default nextval('records_change_seq'::regclass),
  created_seq bigint not null,
  seen_by bigint not null,
  deleted_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint records_pkey PRIMARY KEY (integration_id, stream, record_key)
) with (fillfactor=90);

create table recovery_codes (
  user_id text not null,
  code_hash bytea not null,
  constraint recovery_codes_pkey PRIMARY KEY (user_id, code_hash),
  constraint recovery_codes_user_id_fkey FOREIGN KEY (user_id) REFERENCES second_factors(user_id) ON DELETE CASCADE
);

create table reported_metrics (
  integration_id text not null,
  resolution text not null,
  bucket timestamp with time zone not null,
  reports bigint not null,
  requests bigint not null,
  rated_weight double precision not null,
  failed_weight double precision not null,
  succeeded_weight double precision not null,
  timed_weight double precision not null,
  timed_ms double precision not null,
  p50_ms double precision,
  p95_ms double precision,
  p99_ms double precision,
  response_bytes bigint not null,
  constraint reported_metrics_pkey PRIMARY KEY (integration_id, resolution, bucket),
  constraint reported_metrics_resolution_check CHECK ((resolution = ANY (ARRAY['minute'::text, 'hour'::text])))
);

create table roles (
  name text not null,
  description text not null,
  permissions jsonb not null,
  created_by text not null,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint roles_change_access TRIGGER DEFERRABLE INITIALLY DEFERRED,
  constraint roles_pkey PRIMARY KEY (name)
);

create table schema_migrations (
  version integer not null,
  name text not null,
  sha256 text not null,
  applied_at timestamp with time zone not null default now(),
  constraint schema_migrations_pkey PRIMARY KEY (version)
);

create table second_factors (
  user_id text not null,
  secret_envelope jsonb not null,
  key_id text not null,
  confirmed_at timestamp with time zone,
  last_used_step bigint,
  created_at timestamp with time zone not null default now(),
  constraint second_factors_pkey PRIMARY KEY (user_id),
  constraint second_factors_key_id_fkey FOREIGN KEY (key_id) REFERENCES installation_keys(id),
  constraint second_factors_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
);

create table sessions (
  id text not null,
  user_id text not null,
  secret_hash bytea not null,
  former_secret_hash bytea,
  secret_made_at timestamp with time zone not null default now(),
  secret_seen_at timestamp with time zone,
  address text,
  last_address text,
  user_agent text,
  created_at timestamp with time zone not null default now(),
  last_seen_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  constraint sessions_pkey PRIMARY KEY (id),
  constraint sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
);

create table silences (
  id text not null,
  matchers jsonb not null,
  starts_at timestamp with time zone not null,
  ends_at timestamp with time zone not null,
  author text not null,
  comment text not null,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint silences_pkey PRIMARY KEY (id),
  constraint silences_check CHECK ((ends_at > starts_at))
);

create table stack_identities (
  project_id text not null,
  subject text not null,
  user_id text not null,
  linked_at timestamp with time zone not null default now(),
  constraint stack_identities_change_access TRIGGER DEFERRABLE INITIALLY DEFERRED,
  constraint stack_identities_pkey PRIMARY KEY (project_id, subject),
  constraint stack_identities_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
);

create table sync_runs (
  id text not null,
  integration_id text not null,
  trigger text not null,
  full_refresh boolean not null default false,
  streams text[],
  status text not null,
  lease_token bigint not null default 0,
  lease_until timestamp with time zone,
  stop_requested_at timestamp with time zone,
  progress jsonb not null default '{}'::jsonb,
  due_at timestamp with time zone not null default now(),
  queued_at timestamp with time zone not null default now(),
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  pages bigint not null default 0,
  records_read bigint not null default 0,
  records_added bigint not null default 0,
  records_updated bigint not null default 0,
  records_deleted bigint not null default 0,
  records_unchanged bigint not null default 0,
  error jsonb,
  warnings jsonb not null default '[]'::jsonb,
  trace_parent text,
  repeats jsonb not null default '{}'::jsonb,
  records_confirmed bigint not null default 0,
  constraint sync_runs_pkey PRIMARY KEY (id),
  constraint sync_runs_integration_id_fkey FOREIGN KEY (integration_id) REFERENCES integrations(id) ON DELETE CASCADE,
  constraint sync_runs_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'succeeded'::text, 'failed'::text, 'stopped'::text]))),
  constraint sync_runs_trigger_check CHECK ((trigger = ANY (ARRAY['schedule'::text, 'manual'::text])))
);

create table sync_schedules (
  integration_id text not null,
  frequency text not null,
  timezone text not null default 'UTC'::text,
  next_due_at timestamp with time zone not null,
  updated_at timestamp with time zone not null default now(),
  constraint sync_schedules_pkey PRIMARY KEY (integration_id),
  constraint sync_schedules_integration_id_fkey FOREIGN KEY (integration_id) REFERENCES integrations(id) ON DELETE CASCADE
);

create table sync_states (
  integration_id text not null,
  stream text not null,
  state jsonb,
  record_count bigint not null default 0,
  full_read_id bigint,
  full_read_started_at timestamp with time zone,
  full_read_completed_at timestamp with time zone,
  full_read_base bigint not null default 0,
  full_read_seen bigint not null default 0,
  complete_read_id bigint,
  missing_count bigint not null default 0,
  due_deletions jsonb,
  pending_deletions jsonb,
  updated_at timestamp with time zone not null default now(),
  known_answer jsonb,
  constraint sync_states_pkey PRIMARY KEY (integration_id, stream),
  constraint sync_states_integration_id_fkey FOREIGN KEY (integration_id) REFERENCES integrations(id) ON DELETE CASCADE,
  constraint sync_states_known_answer_is_settled CHECK (((known_answer IS NULL) OR ((due_deletions IS NULL) AND (pending_deletions IS NULL) AND (missing_count = 0) AND (NOT (full_read_id IS DISTINCT FROM complete_read_id)))))
);

create table system_minutes (
  bucket timestamp with time zone not null,
  metric text not null,
  process text not null,
  samples double precision[] not null,
  latest_at timestamp with time zone not null,
  constraint system_minutes_pkey PRIMARY KEY (metric, bucket, process)
);

create table tuning_experiments (
  id text not null,
  integration_id text not null,
  status text not null,
  knob text not null,
  from_value integer,
  to_value integer not null,
  goal text not null,
  reason text not null,
  evidence jsonb not null,
  before jsonb not null,
  after jsonb,
  performance_gain double precision,
  confidence double precision,
  verdict text,
  started_at timestamp with time zone not null,
  decide_by timestamp with time zone not null,
  finished_at timestamp with time zone,
  constraint tuning_experiments_pkey PRIMARY KEY (id),
  constraint tuning_experiments_integration_id_fkey FOREIGN KEY (integration_id) REFERENCES integrations(id) ON DELETE CASCADE,
  constraint tuning_experiments_goal_check CHECK ((goal = ANY (ARRAY['throughput'::text, 'errors'::text]))),
  constraint tuning_experiments_status_check CHECK ((status = ANY (ARRAY['running'::text, 'kept'::text, 'rolled_back'::text, 'inconclusive'::text, 'reverted'::text])))
);

create table users (
  id text not null,
  email text not null,
  name text not null,
  role text not null,
  status text not null default 'active'::text,
  frozen_reason text,
  version bigint not null default 1,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint users_change_access TRIGGER DEFERRABLE INITIALLY DEFERRED,
  constraint users_update_access TRIGGER DEFERRABLE INITIALLY DEFERRED,
  constraint users_pkey PRIMARY KEY (id),
  constraint users_status_check CHECK ((status = ANY (ARRAY['active'::text, 'frozen'::text, 'deactivated'::text])))
);

create table webhook_endpoints (
  id text not null,
  integration_id text not null,
  url text not null,
  events text[] not null,
  description text,
  active boolean not null default true,
  secret_envelope jsonb not null,
  key_id text not null,
  version bigint not null default 1,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint webhook_endpoints_pkey PRIMARY KEY (id),
  constraint webhook_endpoints_integration_id_fkey FOREIGN KEY (integration_id) REFERENCES integrations(id) ON DELETE CASCADE,
  constraint webhook_endpoints_key_id_fkey FOREIGN KEY (key_id) REFERENCES installation_keys(id)
);

CREATE INDEX alert_changes_by_integration ON public.alert_changes USING btree (integration_id, at, seq);

CREATE INDEX alert_changes_by_kind ON public.alert_changes USING btree (kind, at, seq);

CREATE INDEX alert_changes_by_rule ON public.alert_changes USING btree (rule_id, at, seq);

CREATE INDEX alert_changes_by_time ON public.alert_changes USING btree (at, seq);

CREATE INDEX alert_group_log_by_channel ON public.alert_group_log USING btree (channel_id);

CREATE INDEX alert_group_members_by_alert ON public.alert_group_members USING btree (alert_key);

CREATE INDEX alert_groups_by_due ON public.alert_groups USING btree (due_at) WHERE (due_at IS NOT NULL);

CREATE INDEX alert_groups_by_policy ON public.alert_groups USING btree (policy_id);

CREATE INDEX alert_groups_empty ON public.alert_groups USING btree (updated_at) WHERE (due_at IS NULL);

CREATE INDEX alert_instances_by_change ON public.alert_instances USING btree (changed_at, rule_id, fingerprint);

CREATE INDEX alert_instances_by_integration ON public.alert_instances USING btree (integration_id, changed_at);

CREATE INDEX alert_rules_by_revision ON public.alert_rules USING btree (revision);

CREATE INDEX alert_rules_by_shard ON public.alert_rules USING btree (shard);

CREATE INDEX api_keys_by_rotation ON public.api_keys USING btree (rotated_from) WHERE (rotated_from IS NOT NULL);

CREATE INDEX api_keys_by_user ON public.api_keys USING btree (user_id, id);

CREATE INDEX audit_entries_by_action ON public.audit_entries USING btree (action, occurred_at, seq);

CREATE INDEX audit_entries_by_actor ON public.audit_entries USING btree (actor_id, occurred_at, seq);

CREATE INDEX audit_entries_by_id ON public.audit_entries USING btree (id);

CREATE INDEX audit_entries_by_integration ON public.audit_entries USING btree (integration_id, occurred_at, seq) WHERE (integration_id IS NOT NULL);

CREATE INDEX audit_entries_by_target ON public.audit_entries USING btree (target_id, occurred_at, seq) WHERE (target_id IS NOT NULL);

CREATE INDEX audit_entries_by_time ON public.audit_entries USING btree (occurred_at, seq);

CREATE INDEX audit_signing_keys_by_key ON public.audit_signing_keys USING btree (key_id, id);

CREATE INDEX break_glass_by_expiry ON public.break_glass USING btree (expires_at) WHERE (ended_at IS NULL);

CREATE INDEX break_glass_by_user ON public.break_glass USING btree (user_id, id);

CREATE INDEX credentials_by_key ON public.credentials USING btree (key_id, integration_id);

CREATE INDEX grants_by_expiry ON public.grants USING btree (expires_at);

CREATE INDEX grants_by_user ON public.grants USING btree (user_id, id);

CREATE INDEX idempotency_keys_by_age ON public.idempotency_keys USING btree (created_at);

CREATE UNIQUE INDEX installation_keys_one_active ON public.installation_keys USING btree (status) WHERE (status = 'active'::text);

CREATE INDEX integration_health_due ON public.integration_health USING btree (next_check_at);

CREATE INDEX integration_health_failing ON public.integration_health USING btree (integration_id) WHERE (state = 'fail'::text);

CREATE INDEX integrations_by_owner ON public.integrations USING btree (owner, id);

CREATE INDEX integrations_by_platform ON public.integrations USING btree (platform, id);

CREATE INDEX integrations_deleted ON public.integrations USING btree (id) WHERE (status = 'deleting'::text);

CREATE UNIQUE INDEX invitations_by_email ON public.invitations USING btree (lower(email));

CREATE INDEX invitations_by_expiry ON public.invitations USING btree (expires_at);

CREATE UNIQUE INDEX invitations_by_hash ON public.invitations USING btree (token_hash);

CREATE INDEX log_blocks_by_time ON public.log_blocks USING btree (to_at);

CREATE INDEX login_throttles_by_age ON public.login_throttles USING btree (last_failed_at);

CREATE INDEX logs_by_integration ON ONLY public.logs USING btree (integration_id);

CREATE INDEX logs_by_operation ON ONLY public.logs USING btree (operation_id) WHERE (operation_id IS NOT NULL);

CREATE INDEX logs_by_time ON ONLY public.logs USING brin (observed_at) WITH (pages_per_range='32', autosummarize='on');

CREATE INDEX logs_by_trace ON ONLY public.logs USING btree (trace_id) WHERE (trace_id IS NOT NULL);

CREATE INDEX logs_of_concern ON ONLY public.logs USING btree (integration_id, seq) WHERE (severity >= 13);

CREATE INDEX metric_days_by_time ON public.metric_days USING btree (bucket);

CREATE INDEX metric_hours_by_time ON ONLY public.metric_hours USING btree (bucket);

CREATE INDEX metric_minutes_by_time ON ONLY public.metric_minutes USING btree (bucket);

CREATE INDEX metric_rollups_due_by_time ON public.metric_rollups_due USING btree (resolution, bucket);

CREATE INDEX notification_channels_by_key ON public.notification_channels USING btree (key_id);

CREATE UNIQUE INDEX notification_policies_default ON public.notification_policies USING btree (is_default) WHERE is_default;

CREATE INDEX notifications_by_channel ON public.notifications USING btree (channel_id, id DESC);

CREATE INDEX notifications_finished ON public.notifications USING btree (finished_at) WHERE (finished_at IS NOT NULL);

CREATE INDEX notifications_in_order ON public.notifications USING btree (group_id, channel_id, id) WHERE (status = 'pending'::text);

CREATE INDEX notifications_pending ON public.notifications USING btree (due_at) WHERE (status = 'pending'::text);

CREATE INDEX notified_alerts_by_labels ON public.notified_alerts USING gin (labels jsonb_path_ops) WHERE (ends_at IS NULL);

CREATE INDEX notified_alerts_ended ON public.notified_alerts USING btree (ends_at) WHERE (ends_at IS NOT NULL);

CREATE INDEX one_time_tokens_by_expiry ON public.one_time_tokens USING btree (expires_at);

CREATE UNIQUE INDEX one_time_tokens_by_hash ON public.one_time_tokens USING btree (token_hash);

CREATE INDEX one_time_tokens_by_user ON public.one_time_tokens USING btree (user_id, created_at);

CREATE INDEX outgoing_attempts_by_integration ON ONLY public.outgoing_attempts USING btree (integration_id, started_at);

CREATE INDEX outgoing_attempts_by_operation ON ONLY public.outgoing_attempts USING btree (operation_id, started_at);

CREATE INDEX performance_anomalies_by_time ON public.performance_anomalies USING btree (bucket);

CREATE INDEX performance_summaries_by_calls ON public.performance_summaries USING btree (calls DESC, integration_id) WHERE (calls > 0);

CREATE INDEX performance_summaries_by_degradation ON public.performance_summaries USING btree (degradation_ratio DESC, integration_id) WHERE (degradation_ratio IS NOT NULL);

CREATE INDEX performance_summaries_by_errors ON public.performance_summaries USING btree ((((failed)::double precision / (calls)::double precision)) DESC, failed DESC, integration_id) WHERE ((failed > 0) AND (calls > 0));

CREATE INDEX performance_summaries_by_p95 ON public.performance_summaries USING btree (p95_ms DESC, integration_id) WHERE (p95_ms IS NOT NULL);

CREATE INDEX performance_summaries_by_score ON public.performance_summaries USING btree (score, integration_id) WHERE (score IS NOT NULL);

CREATE INDEX performance_watch_active ON public.performance_watch USING btree (active_until);

CREATE INDEX performance_watch_to_summarize ON public.performance_watch USING btree (summarize_at);

CREATE INDEX rate_limit_clears_by_revision ON public.rate_limit_clears USING btree (revision);

CREATE INDEX rate_limit_learned_by_change ON public.rate_limit_learned USING btree (changed_at);

CREATE INDEX rate_limit_usage_by_prefix ON public.rate_limit_usage USING btree (key text_pattern_ops);

CREATE INDEX rate_limits_by_revision ON public.rate_limits USING btree (revision);

CREATE INDEX records_by_change ON public.records USING btree ((((integration_id || '/'::text) || stream)), change_seq);

CREATE INDEX reported_metrics_by_time ON public.reported_metrics USING btree (resolution, bucket);

CREATE INDEX second_factors_by_key ON public.second_factors USING btree (key_id, user_id);

CREATE INDEX sessions_by_expiry ON public.sessions USING btree (expires_at);

CREATE INDEX sessions_by_user ON public.sessions USING btree (user_id, id);

CREATE INDEX silences_by_end ON public.silences USING btree (ends_at);

CREATE INDEX stack_identities_by_user ON public.stack_identities USING btree (user_id);

CREATE INDEX sync_runs_by_age ON public.sync_runs USING btree (finished_at) WHERE (finished_at IS NOT NULL);

CREATE INDEX sync_runs_by_integration ON public.sync_runs USING btree (integration_id, id);

CREATE INDEX sync_runs_leased ON public.sync_runs USING btree (lease_until) WHERE (status = 'running'::text);

CREATE UNIQUE INDEX sync_runs_one_active ON public.sync_runs USING btree (integration_id) WHERE (status = ANY (ARRAY['queued'::text, 'running'::text]));

CREATE INDEX sync_runs_queued ON public.sync_runs USING btree (queued_at) WHERE (status = 'queued'::text);

CREATE INDEX sync_schedules_due ON public.sync_schedules USING btree (next_due_at);

CREATE INDEX system_minutes_by_time ON public.system_minutes USING btree (bucket);

CREATE INDEX tuning_experiments_by_integration ON public.tuning_experiments USING btree (integration_id, id);

CREATE UNIQUE INDEX tuning_experiments_one_running ON public.tuning_experiments USING btree (integration_id) WHERE (status = 'running'::text);

CREATE UNIQUE INDEX users_by_email ON public.users USING btree (lower(email));

CREATE INDEX users_by_role ON public.users USING btree (role, id);

CREATE INDEX webhook_endpoints_by_integration ON public.webhook_endpoints USING btree (integration_id, id);

CREATE INDEX webhook_endpoints_by_key ON public.webhook_endpoints USING btree (key_id, id);

CREATE CONSTRAINT TRIGGER api_keys_change_access AFTER INSERT OR DELETE ON public.api_keys DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION raise_access_version();

CREATE CONSTRAINT TRIGGER api_keys_update_access AFTER UPDATE ON public.api_keys DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((NOT (old.last_used_at IS DISTINCT FROM new.last_used_at))) EXECUTE FUNCTION raise_access_version();

CREATE TRIGGER audit_checkpoints_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_checkpoints FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
alter table audit_checkpoints enable always trigger audit_checkpoints_append_only;

CREATE TRIGGER audit_entries_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
alter table audit_entries enable always trigger audit_entries_append_only;

CREATE TRIGGER audit_nodes_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_nodes FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
alter table audit_nodes enable always trigger audit_nodes_append_only;

CREATE TRIGGER audit_pending_unchanged BEFORE UPDATE OR TRUNCATE ON public.audit_pending FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
alter table audit_pending enable always trigger audit_pending_unchanged;

CREATE CONSTRAINT TRIGGER break_glass_change_access AFTER INSERT OR DELETE OR UPDATE ON public.break_glass DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION raise_access_version('rules');

CREATE CONSTRAINT TRIGGER grants_change_access AFTER INSERT OR DELETE OR UPDATE ON public.grants DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION raise_access_version('rules');

CREATE CONSTRAINT TRIGGER roles_change_access AFTER INSERT OR DELETE OR UPDATE ON public.roles DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION raise_access_version('rules');

CREATE CONSTRAINT TRIGGER stack_identities_change_access AFTER INSERT OR DELETE OR UPDATE ON public.stack_identities DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION raise_access_version();

CREATE CONSTRAINT TRIGGER users_change_access AFTER INSERT OR DELETE ON public.users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION raise_access_version('rules');

CREATE CONSTRAINT TRIGGER users_update_access AFTER UPDATE ON public.users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((old.id <> new.id) OR (old.role <> new.role) OR (old.status <> new.status))) EXECUTE FUNCTION raise_access_version('rules');
