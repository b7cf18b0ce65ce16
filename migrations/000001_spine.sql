-- The spine: integrations, their credentials, sync schedules, runs, states and records, and what every outgoing call did.

create table installation_keys (
  id text primary key,
  status text not null check (status in ('active', 'retiring')),
  -- PBKDF2 of ENCRYPTION_SECRET with this salt gives the root that opens sealed_key.
  salt bytea not null,
  iterations integer not null,
  -- The random key itself, sealed under the root: opening it at start also tells whether ENCRYPTION_SECRET is the right one.
  sealed_key jsonb not null,
  created_at timestamptz not null default now()
);
create unique index installation_keys_one_active on installation_keys (status) where status = 'active';

create table integrations (
  id text primary key,
  owner text not null,
  name text not null,
  type text not null,
  platform text not null,
  status text not null check (status in ('pending', 'connected', 'disconnected', 'error', 'deleting')),
  status_reason text,
  configuration jsonb not null,
  version bigint not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index integrations_by_owner on integrations (owner, id);
create index integrations_deleted on integrations (id) where status = 'deleting';

create table credentials (
  integration_id text primary key references integrations (id) on delete cascade,
  -- The self-contained envelope of credentials/envelope.ts; its data key is wrapped by installation key `key_id`.
  envelope jsonb not null,
  key_id text not null references installation_keys (id),
  fields text[] not null,
  -- Where they were given for; they are sent nowhere else. Bound into the envelope.
  origins text[] not null default '{}',
  version bigint not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index credentials_by_key on credentials (key_id, integration_id);

create table webhook_endpoints (
  id text primary key,
  integration_id text not null references integrations (id) on delete cascade,
  url text not null,
  events text[] not null,
  description text,
  active boolean not null default true,
  secret_envelope jsonb not null,
  key_id text not null references installation_keys (id),
  version bigint not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index webhook_endpoints_by_integration on webhook_endpoints (integration_id, id);
create index webhook_endpoints_by_key on webhook_endpoints (key_id, id);

-- Platforms added or edited at run time; the newest version of a platform counts.
create table connectors (
  platform text not null,
  version integer not null,
  source text not null,
  created_at timestamptz not null default now(),
  deleted_at timestamptz,
  primary key (platform, version)
);

create table sync_schedules (
  integration_id text primary key references integrations (id) on delete cascade,
  frequency text not null,
  timezone text not null default 'UTC',
  next_due_at timestamptz not null,
  updated_at timestamptz not null default now()
);
create index sync_schedules_due on sync_schedules (next_due_at);

create table sync_runs (
  id text primary key,
  integration_id text not null references integrations (id) on delete cascade,
  trigger text not null check (trigger in ('schedule', 'manual')),
  full_refresh boolean not null default false,
  streams text[],
  status text not null check (status in ('queued', 'running', 'succeeded', 'failed', 'stopped')),
  -- Fencing: every claim raises the token, and every write of a run names the token it was claimed with.
  lease_token bigint not null default 0,
  lease_until timestamptz,
  stop_requested_at timestamptz,
  -- Stream -> 'reading' | 'read' | 'done': what of this run is behind us when another worker takes it over.
  progress jsonb not null default '{}',
  due_at timestamptz not null default now(),
  queued_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  pages bigint not null default 0,
  records_read bigint not null default 0,
  records_added bigint not null default 0,
  records_updated bigint not null default 0,
  records_deleted bigint not null default 0,
  records_unchanged bigint not null default 0,
  error jsonb,
  warnings jsonb not null default '[]'
);
-- One run per integration at a time, across processes.
create unique index sync_runs_one_active on sync_runs (integration_id) where status in ('queued', 'running');
create index sync_runs_queued on sync_runs (queued_at) where status = 'queued';
create index sync_runs_leased on sync_runs (lease_until) where status = 'running';
create index sync_runs_by_integration on sync_runs (integration_id, id);
create index sync_runs_by_age on sync_runs (finished_at) where finished_at is not null;

create table sync_states (
  integration_id text not null references integrations (id) on delete cascade,
  stream text not null,
  -- Where the next page starts: opaque, made and read by connectors/.
  state jsonb,
  -- Live records of the stream, kept exact by every transaction that writes them.
  record_count bigint not null default 0,
  -- The full read under way or last done, from records_change_seq, so later reads have higher ids;
  -- once it is complete, a record with a lower seen_by is gone.
  full_read_id bigint,
  full_read_started_at timestamptz,
  full_read_completed_at timestamptz,
  -- Live records when the full read began, and live records it has seen.
  full_read_base bigint not null default 0,
  full_read_seen bigint not null default 0,
  -- The last full read that was complete, and how many live records it and all reads since then have not seen.
  complete_read_id bigint,
  missing_count bigint not null default 0,
  -- Deletions that a full read ended with and that are still to be made: whose seen_by is lower, and how many.
  due_deletions jsonb,
  -- Deletions found above the safe share, waiting for a person.
  pending_deletions jsonb,
  updated_at timestamptz not null default now(),
  primary key (integration_id, stream)
);

create sequence records_change_seq;

-- No foreign key to integrations: a deleted integration's records are erased in batches by a job.
create table records (
  integration_id text not null,
  stream text not null,
  record_key text not null,
  data jsonb not null,
  -- SHA-256 of the RFC 8785 form of data.
  content_hash bytea not null,
  -- Ordered within an integration, because one fenced run at a time writes it.
  change_seq bigint not null default nextval('records_change_seq'),
  created_seq bigint not null,
  -- full_read_id of the stream when the record was last read.
  seen_by bigint not null,
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (integration_id, stream, record_key)
) with (fillfactor = 90);
-- An expression, so that it is no choice for a record by its key: for an integration that the statistics do not know
-- yet, an index that begins with the columns looks as good as the primary key, and each lookup reads the stream.
create index records_by_change on records ((integration_id || '/' || stream), change_seq);

-- Every attempt of every outgoing call. Daily partitions, made ahead and dropped by jobs/maintenance.
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
  started_at timestamptz not null,
  duration_ms real not null,
  wait_ms real not null,
  first_byte_ms real,
  response_bytes bigint not null default 0,
  error text,
  primary key (started_at, id)
) partition by range (started_at);
create index outgoing_attempts_by_integration on outgoing_attempts (integration_id, started_at);
create index outgoing_attempts_by_operation on outgoing_attempts (operation_id, started_at);

create table idempotency_keys (
  scope text not null,
  key text not null,
  request_hash bytea not null,
  -- Names what the request makes, so that a repetition after a crash finds it instead of making another.
  resource_name text not null,
  -- Null while the first request is still being answered.
  response jsonb,
  locked_until timestamptz not null,
  created_at timestamptz not null default now(),
  primary key (scope, key)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);
