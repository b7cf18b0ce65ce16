-- Who may do what: users, and the counter that tells every replica of a change.

create table users (
  id text primary key,
  email text not null,
  name text not null,
  role text not null,
  status text not null default 'active' check (status in ('active', 'frozen', 'deactivated')),
  frozen_reason text,
  version bigint not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index users_by_email on users (lower(email));

-- One row.
create table access_version (
  singleton boolean primary key default true check (singleton),
  version bigint not null default 1,
  rules_version bigint not null default 1
);
insert into access_version default values;

-- Fires at the commit, so that the row is locked last and for a moment.
create function bump_access_version() returns trigger language plpgsql as $$
begin
  update access_version
  set version = version + 1, rules_version = rules_version + (coalesce(tg_argv[0], '') = 'rules')::integer
  where xmin <> pg_current_xact_id()::xid;
  return null;
end $$;

create constraint trigger users_change_access after insert or delete on users
  deferrable initially deferred for each row execute function bump_access_version('rules');
create constraint trigger users_update_access after update on users
  deferrable initially deferred for each row
  when (old.id <> new.id or old.role <> new.role or old.status <> new.status)
  execute function bump_access_version('rules');
