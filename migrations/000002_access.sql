-- Who may do what: users, custom roles, grants and denies, break-glass, and the counter that tells every replica of a change.

create table users (
  id text primary key,
  email text not null,
  name text not null,
  -- A built-in role (access/roles/builtInRoles.ts) or one of the table roles; an unknown one allows nothing.
  role text not null,
  status text not null default 'active' check (status in ('active', 'frozen', 'deactivated')),
  frozen_reason text,
  version bigint not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index users_by_email on users (lower(email));
create index users_by_role on users (role, id);

-- Custom roles. Those that are built in are code.
create table roles (
  name text primary key,
  description text not null,
  -- [{permission, reach: 'all' | 'own'}]
  permissions jsonb not null,
  created_by text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table grants (
  id text primary key,
  user_id text not null references users (id) on delete cascade,
  effect text not null check (effect in ('allow', 'deny')),
  -- Names and patterns such as integrations:* and *.
  permissions text[] not null,
  scope_kind text not null check (scope_kind in ('all', 'integration', 'platform', 'owner')),
  -- Null for 'all' alone. No foreign key: an integration that is gone is found by nobody.
  scope_value text check ((scope_kind = 'all') = (scope_value is null)),
  reason text not null,
  created_by text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz
);
create index grants_by_user on grants (user_id, id);
create index grants_by_expiry on grants (expires_at);

create table break_glass (
  id text primary key,
  user_id text not null references users (id) on delete cascade,
  permissions text[] not null,
  scope_kind text not null check (scope_kind in ('all', 'integration', 'platform', 'owner')),
  scope_value text check ((scope_kind = 'all') = (scope_value is null)),
  reason text not null,
  duration_seconds integer not null check (duration_seconds between 1 and 28800),
  requested_at timestamptz not null,
  approved_by text,
  approved_at timestamptz,
  expires_at timestamptz,
  ended_by text,
  ended_at timestamptz,
  check (approved_by <> user_id),
  check ((approved_by is null) = (approved_at is null) and (approved_at is null) = (expires_at is null)),
  check ((ended_by is null) = (ended_at is null))
);
create index break_glass_by_user on break_glass (user_id, id);
create index break_glass_by_expiry on break_glass (expires_at) where ended_at is null;

-- One row. `version` rises with every change of access; `rules_version` with those that decisions are made of.
create table access_version (
  id boolean primary key default true check (id),
  version bigint not null default 1,
  rules_version bigint not null default 1,
  -- The transaction that raised rules_version last.
  rules_raised_by bigint not null default 0
);
insert into access_version default values;

-- Fires at the commit, so that the row is locked last and for a moment: no deadlock with the locks of the change
-- itself. Once a transaction is enough. With the argument 'rules', decisions are made of what changed.
create function raise_access_version() returns trigger language plpgsql as $$
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
end $$;

create constraint trigger users_change_access after insert or delete on users
  deferrable initially deferred for each row execute function raise_access_version('rules');
create constraint trigger users_update_access after update on users
  deferrable initially deferred for each row
  when (old.id <> new.id or old.role <> new.role or old.status <> new.status)
  execute function raise_access_version('rules');
create constraint trigger roles_change_access after insert or update or delete on roles
  deferrable initially deferred for each row execute function raise_access_version('rules');
create constraint trigger grants_change_access after insert or update or delete on grants
  deferrable initially deferred for each row execute function raise_access_version('rules');
create constraint trigger break_glass_change_access after insert or update or delete on break_glass
  deferrable initially deferred for each row execute function raise_access_version('rules');
