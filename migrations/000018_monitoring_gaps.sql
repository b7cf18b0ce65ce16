-- Alerts of an integration also say of which platform it is: those that are active already, too.
update notified_alerts a
set labels = jsonb_build_object('platform', i.platform) || a.labels
from integrations i
where i.id = a.labels ->> 'integrationId';

-- The history of alerts is read newest first, by time: of all, of a rule, of an integration, of a kind.
drop index alert_changes_by_alert;
drop index alert_changes_by_integration;
create index alert_changes_by_time on alert_changes (at, seq);
create index alert_changes_by_rule on alert_changes (rule_id, at, seq);
create index alert_changes_by_integration on alert_changes (integration_id, at, seq);
create index alert_changes_by_kind on alert_changes (kind, at, seq);

-- For so long after the end of its source an inhibition goes on, where what follows from a cause outlasts it.
alter table inhibition_rules add column linger_ms bigint not null default 0;
-- Alerts that ended stay for a while, as sources of these.
create index notified_alerts_ended on notified_alerts (ends_at) where ends_at is not null;

-- A share of an hour stays low for an hour after many errors are over.
update inhibition_rules set linger_ms = 4500000 where id = 'inh_many_errors';
update inhibition_rules set linger_ms = 900000 where id = 'inh_platform';
insert into inhibition_rules (id, name, source_matchers, target_matchers, equal_labels, linger_ms) values
  ('inh_platform_aftermath', 'What a provider that was down leaves behind is over within the hour after',
   '[{"label": "inhibits", "op": "=", "value": "platform"}]',
   '[{"label": "platform", "op": "!=", "value": ""}, {"label": "alertname", "op": "=~", "value": "Low success rate|Syncs fail|No sync for long"}]',
   '{platform}', 4500000);

-- Who takes part in evaluating rules, so that each keeps no more than its share of the shards.
create table alert_replicas (
  id text primary key,
  lease_until timestamptz not null
);

-- How far the audit log was verified by itself: what is new, and again and again all of it.
create table audit_checks (
  pass text primary key check (pass in ('new', 'all')),
  -- The tree over the entries that were verified in this pass.
  size bigint not null default 0,
  frontier bytea not null default '',
  began_at timestamptz,
  -- When the pass last reached the end of the log.
  finished_at timestamptz,
  checked_at timestamptz,
  -- What is wrong; null when nothing was found.
  finding jsonb
);
insert into audit_checks (pass) values ('new'), ('all');

-- One query that failed, counted as a breach, woke people. Rules that somebody has changed stay as they are.
with counted as (update alert_counters set value = value + 1 where name = 'rules' returning value)
update alert_rules r
set definition = r.definition || '{"forMs": 120000}', revision = counted.value, updated_at = now()
from counted
where r.default_key in ('security.denied_access', 'security.failed_logins') and r.version = 1 and r.deleted_at is null;
