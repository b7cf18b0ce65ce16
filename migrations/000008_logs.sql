-- Logs: the records, what says which are kept, and what makes loading them from journals happen exactly once.

-- Partitioned by the UTC day of observed_at, by which time ranges and retention go as well. seq is gapless and in the
-- order of commits, across replicas: a reader that asks for seq > last misses nothing, and a hole means loss (or
-- retention).
create table logs (
  seq bigint not null,
  -- When this service took the record. Never before it was: the clock of the replica that took it.
  observed_at timestamptz not null,
  -- When it happened, as whoever logged it says; mostly the same.
  at timestamptz not null,
  -- An integration, or 'system'.
  integration_id text not null,
  -- debug 5, verbose 7, info 9, warn 13, error 17, critical 21, as in the log data model of OpenTelemetry.
  severity smallint not null,
  message text not null,
  event_name text,
  operation_id text,
  request_id text,
  trace_id text,
  span_id text,
  attributes jsonb not null,
  primary key (seq, observed_at)
) partition by range (observed_at);
-- Without seq beside them, so that equal keys share an entry: half the price of a write, and who reads in the order of
-- seq takes the primary key where an integration has many records, and sorts where it has few.
create index logs_by_integration on logs (integration_id);
create index logs_by_operation on logs (operation_id) where operation_id is not null;
create index logs_by_trace on logs (trace_id) where trace_id is not null;
-- Small, because most records are of no concern.
create index logs_of_concern on logs (integration_id, seq) where severity >= 13;

-- Raised by each batch in its transaction, which holds the row until it commits.
create table log_sequence (
  id boolean primary key default true check (id),
  -- The number of the next record.
  next bigint not null
);
insert into log_sequence (next) values (1);

-- How far each journal is loaded; moved in the transaction of the batch, so that no record is loaded twice.
create table log_journals (
  id text primary key,
  loaded_bytes bigint not null,
  updated_at timestamptz not null default now()
);

-- From which level on records are taken: of one integration, of 'system', or '*' for all.
create table log_levels (
  scope text primary key,
  severity smallint not null,
  updated_at timestamptz not null default now()
);

-- How many days records are kept: of a scope as above and of one severity, or 0 for all.
create table log_retention (
  scope text not null,
  severity smallint not null,
  keep_days integer not null,
  primary key (scope, severity)
);

create table log_settings (
  id boolean primary key default true check (id),
  -- Raised by every change of log_levels, log_retention and of this row, in its transaction.
  revision bigint not null,
  -- Null for no limit.
  max_bytes bigint
);
insert into log_settings (revision) values (1);

-- Days brought back from an archive, and until when retention leaves them alone.
create table log_imports (
  day date primary key,
  kept_until timestamptz not null
);
