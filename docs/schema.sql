-- Made by scripts/dumpSchema.ts from migrations/; not to be edited.

create sequence records_change_seq;

CREATE OR REPLACE FUNCTION public.bump_access_version()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  update access_version
  set version = version + 1, rules_version = rules_version + (coalesce(tg_argv[0], '') = 'rules')::integer
  where xmin <> pg_current_xact_id()::xid;
  return null;
end $function$
;

create table access_version (
  singleton boolean not null default true,
  version bigint not null default 1,
  rules_version bigint not null default 1,
  constraint access_version_pkey PRIMARY KEY (singleton),
  constraint access_version_singleton_check CHECK (singleton)
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

create table schema_migrations (
  version integer not null,
  name text not null,
  sha256 text not null,
  applied_at timestamp with time zone not null default now(),
  constraint schema_migrations_pkey PRIMARY KEY (version)
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
  constraint sync_states_pkey PRIMARY KEY (integration_id, stream),
  constraint sync_states_integration_id_fkey FOREIGN KEY (integration_id) REFERENCES integrations(id) ON DELETE CASCADE
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

CREATE INDEX api_keys_by_rotation ON public.api_keys USING btree (rotated_from) WHERE (rotated_from IS NOT NULL);

CREATE INDEX api_keys_by_user ON public.api_keys USING btree (user_id, id);

CREATE INDEX credentials_by_key ON public.credentials USING btree (key_id, integration_id);

CREATE INDEX idempotency_keys_by_age ON public.idempotency_keys USING btree (created_at);

CREATE UNIQUE INDEX installation_keys_one_active ON public.installation_keys USING btree (status) WHERE (status = 'active'::text);

CREATE INDEX integrations_by_owner ON public.integrations USING btree (owner, id);

CREATE INDEX integrations_by_platform ON public.integrations USING btree (platform, id);

CREATE INDEX integrations_deleted ON public.integrations USING btree (id) WHERE (status = 'deleting'::text);

CREATE INDEX outgoing_attempts_by_integration ON ONLY public.outgoing_attempts USING btree (integration_id, started_at);

CREATE INDEX outgoing_attempts_by_operation ON ONLY public.outgoing_attempts USING btree (operation_id, started_at);

CREATE INDEX records_by_change ON public.records USING btree ((((integration_id || '/'::text) || stream)), change_seq);

CREATE INDEX stack_identities_by_user ON public.stack_identities USING btree (user_id);

CREATE INDEX sync_runs_by_age ON public.sync_runs USING btree (finished_at) WHERE (finished_at IS NOT NULL);

CREATE INDEX sync_runs_by_integration ON public.sync_runs USING btree (integration_id, id);

CREATE INDEX sync_runs_leased ON public.sync_runs USING btree (lease_until) WHERE (status = 'running'::text);

CREATE UNIQUE INDEX sync_runs_one_active ON public.sync_runs USING btree (integration_id) WHERE (status = ANY (ARRAY['queued'::text, 'running'::text]));

CREATE INDEX sync_runs_queued ON public.sync_runs USING btree (queued_at) WHERE (status = 'queued'::text);

CREATE INDEX sync_schedules_due ON public.sync_schedules USING btree (next_due_at);

CREATE UNIQUE INDEX users_by_email ON public.users USING btree (lower(email));

CREATE INDEX webhook_endpoints_by_integration ON public.webhook_endpoints USING btree (integration_id, id);

CREATE INDEX webhook_endpoints_by_key ON public.webhook_endpoints USING btree (key_id, id);

CREATE CONSTRAINT TRIGGER api_keys_change_access AFTER INSERT OR DELETE ON public.api_keys DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bump_access_version();

CREATE CONSTRAINT TRIGGER api_keys_update_access AFTER UPDATE ON public.api_keys DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((NOT (old.last_used_at IS DISTINCT FROM new.last_used_at))) EXECUTE FUNCTION bump_access_version();

CREATE CONSTRAINT TRIGGER stack_identities_change_access AFTER INSERT OR DELETE OR UPDATE ON public.stack_identities DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bump_access_version();

CREATE CONSTRAINT TRIGGER users_change_access AFTER INSERT OR DELETE ON public.users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bump_access_version('rules');

CREATE CONSTRAINT TRIGGER users_update_access AFTER UPDATE ON public.users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((old.id <> new.id) OR (old.role <> new.role) OR (old.status <> new.status))) EXECUTE FUNCTION bump_access_version('rules');
