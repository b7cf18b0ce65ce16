create table users (
  id text primary key,
  email text not null,
  name text not null,
  role text not null,
  status text not null check (status in ('active', 'frozen', 'deactivated')),
  frozen_reason text,
  version bigint not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index users_by_email on users (lower(email));

create table access_version (
  version bigint not null
);
insert into access_version (version) values (1);
