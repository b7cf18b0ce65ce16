-- Measured series: what the calls of an integration took, by operation and outcome. `phases` holds a histogram for each
-- phase (src/performance/store/seriesBytes.ts); `calls`, `total_ms` and `response_bytes` are for SQL.

-- Minutes are written once a second while they last. Each process writes rows of its own (`part`), which readers merge.
create table metric_minutes (
  bucket timestamptz not null,
  integration_id text not null,
  operation text not null,
  outcome text not null,
  part text not null,
  calls bigint not null,
  total_ms double precision not null,
  response_bytes bigint not null,
  phases bytea not null,
  primary key (integration_id, bucket, operation, outcome, part)
) partition by range (bucket);
create index metric_minutes_by_time on metric_minutes (bucket);

create table metric_hours (
  bucket timestamptz not null,
  integration_id text not null,
  operation text not null,
  outcome text not null,
  calls bigint not null,
  total_ms double precision not null,
  response_bytes bigint not null,
  phases bytea not null,
  primary key (integration_id, bucket, operation, outcome)
) partition by range (bucket);
create index metric_hours_by_time on metric_hours (bucket);

create table metric_days (
  bucket timestamptz not null,
  integration_id text not null,
  operation text not null,
  outcome text not null,
  calls bigint not null,
  total_ms double precision not null,
  response_bytes bigint not null,
  phases bytea not null,
  primary key (integration_id, bucket, operation, outcome)
);
create index metric_days_by_time on metric_days (bucket);

-- Hours and days whose minutes (hours) have changed since they were last merged. Until then readers merge themselves.
create table metric_rollups_due (
  resolution text not null check (resolution in ('hour', 'day')),
  bucket timestamptz not null,
  integration_id text not null,
  marks bigint not null default 1,
  primary key (integration_id, resolution, bucket)
);
create index metric_rollups_due_by_time on metric_rollups_due (resolution, bucket);
