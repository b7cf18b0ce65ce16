-- What differs from an integration's connector for the sake of speed; null is the connector's own.
create table integration_tuning (
  integration_id text primary key references integrations (id) on delete cascade,
  page_size_percent int check (page_size_percent between 10 and 1000),
  stream_concurrency int check (stream_concurrency between 1 and 4),
  rate_share_percent int check (rate_share_percent between 10 and 100),
  connect_ms int check (connect_ms between 1000 and 30000),
  headers_ms int check (headers_ms between 2000 and 300000),
  total_ms int check (total_ms between 5000 and 600000),
  -- Raised by every change; 0 and no time as long as there was none.
  version bigint not null default 0,
  updated_at timestamptz
);

-- One change of one knob: applied in the transaction that makes the row, measured against the time before, and kept or
-- taken back in the transaction that ends it.
create table tuning_experiments (
  id text primary key,
  integration_id text not null references integrations (id) on delete cascade,
  status text not null check (status in ('running', 'kept', 'rolled_back', 'inconclusive', 'reverted')),
  knob text not null,
  from_value int,
  to_value int not null,
  goal text not null check (goal in ('throughput', 'errors')),
  reason text not null,
  evidence jsonb not null,
  before jsonb not null,
  after jsonb,
  -- Percent, as measured; null without a measurement.
  performance_gain double precision,
  -- Between 0 and 1.
  confidence double precision,
  verdict text,
  started_at timestamptz not null,
  decide_by timestamptz not null,
  finished_at timestamptz
);
create unique index tuning_experiments_one_running on tuning_experiments (integration_id) where status = 'running';
create index tuning_experiments_by_integration on tuning_experiments (integration_id, id);
