-- What callers report of calls that were not made here, told apart from what is measured (metric_minutes and so on).
-- Reports of one minute are added up: rates and means by the weight of their requests, percentiles by the largest.
create table reported_metrics (
  integration_id text not null,
  resolution text not null check (resolution in ('minute', 'hour')),
  bucket timestamptz not null,
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
  primary key (integration_id, resolution, bucket)
);
create index reported_metrics_by_time on reported_metrics (resolution, bucket);

-- How far each integration's minutes were given to its detectors, what these know, and when it is summed up next.
create table performance_watch (
  integration_id text primary key,
  active_until timestamptz not null default 'epoch',
  fed_until timestamptz not null default 'epoch',
  points bigint not null default 0,
  detectors bytea,
  summarize_at timestamptz
);
create index performance_watch_to_summarize on performance_watch (summarize_at);
create index performance_watch_active on performance_watch (active_until);

create table performance_anomalies (
  integration_id text not null,
  bucket timestamptz not null,
  series text not null check (series in ('p95_response_time', 'error_rate')),
  value double precision not null,
  expected double precision,
  score real not null,
  surprise real not null,
  signal text not null,
  calls bigint not null,
  primary key (integration_id, bucket, series)
);
create index performance_anomalies_by_time on performance_anomalies (bucket);

-- One integration's last 24 hours, so that a report over all of them reads one row each.
create table performance_summaries (
  integration_id text not null,
  source text not null check (source in ('measured', 'reported')),
  refreshed_at timestamptz not null,
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
  statistics_until timestamptz,
  primary key (integration_id, source)
);
-- The ends of the report's lists, so that they read what they show.
create index performance_summaries_by_score on performance_summaries (score, integration_id) where score is not null;
create index performance_summaries_by_p95 on performance_summaries (p95_ms desc, integration_id) where p95_ms is not null;
create index performance_summaries_by_errors
  on performance_summaries ((failed / calls::double precision) desc, failed desc, integration_id)
  where failed > 0 and calls > 0;
create index performance_summaries_by_degradation
  on performance_summaries (degradation_ratio desc, integration_id) where degradation_ratio is not null;
create index performance_summaries_by_calls on performance_summaries (calls desc, integration_id) where calls > 0;
