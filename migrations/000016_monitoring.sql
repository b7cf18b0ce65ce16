-- What each process sees of itself and of the machine, a row a minute.
create table system_minutes (
  bucket timestamptz not null,
  metric text not null,
  -- The one that saw it.
  process text not null,
  -- One every five seconds.
  samples double precision[] not null,
  latest_at timestamptz not null,
  primary key (metric, bucket, process)
);
create index system_minutes_by_time on system_minutes (bucket);

-- Dashboards as people arrange them; every saved version is kept until the dashboard is deleted.
create table dashboards (
  id text primary key,
  title text not null,
  -- Roles that may see it besides its owner; null for everybody who may see monitoring.
  roles text[],
  owner text,
  version integer not null,
  definition jsonb not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table dashboard_versions (
  dashboard_id text not null references dashboards (id) on delete cascade,
  version integer not null,
  title text not null,
  definition jsonb not null,
  saved_by text not null,
  saved_at timestamptz not null default now(),
  primary key (dashboard_id, version)
);

-- What is known of whether integrations work, from their calls or, where there are none, from a probe.
create table integration_health (
  integration_id text primary key references integrations (id) on delete cascade,
  state text not null check (state in ('pass', 'warn', 'fail', 'unknown')),
  source text not null check (source in ('traffic', 'probe', 'none')),
  -- How the probe, or most of the failed calls, ended.
  outcome text,
  detail text,
  -- Looks in a row that failed.
  failures integer not null default 0,
  checked_at timestamptz,
  changed_at timestamptz not null default now(),
  next_check_at timestamptz not null,
  -- Rises with every claim; only who holds the latest writes what was seen.
  claim bigint not null default 0
);
create index integration_health_due on integration_health (next_check_at);
create index integration_health_failing on integration_health (integration_id) where state = 'fail';
