-- Why an alert fires or ended: people are told when nothing was measured any more.
alter table notified_alerts add column reason text not null default 'value';

-- One slow moment at the start fired "The process is blocked". Rules that somebody has changed stay as they are.
with counted as (update alert_counters set value = value + 1 where name = 'rules' returning value)
update alert_rules r
set definition = r.definition || '{"aggregation": "avg", "windowMs": 60000, "forMs": 180000, "annotations": {
      "summary": "{{ labels.process }}: the event loop is late by {{ value }} ms again and again."}}',
    query_version = r.query_version + 1, revision = counted.value, updated_at = now()
from counted
where r.default_key = 'system.event_loop' and r.version = 1 and r.deleted_at is null;

-- Alerts that lack the integration, such as of a rule that cannot be evaluated, are not explained by others that lack it.
update inhibition_rules
set target_matchers = '[{"label": "integrationId", "op": "!=", "value": ""}]' || target_matchers
where id in ('inh_refused_credentials', 'inh_many_errors');
