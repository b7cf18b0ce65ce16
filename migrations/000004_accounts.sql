-- Local accounts: how people of this installation prove who they are, and how they get in for the first time.

-- Users who come from elsewhere only have no row.
create table local_accounts (
  user_id text primary key references users (id) on delete cascade,
  -- PHC string of argon2id.
  password_hash text not null,
  password_changed_at timestamptz not null default now()
);

create table second_factors (
  user_id text primary key references users (id) on delete cascade,
  -- The TOTP secret, sealed; its data key is wrapped by installation key `key_id`.
  secret_envelope jsonb not null,
  key_id text not null references installation_keys (id),
  -- Null until a first code has proven that the secret arrived; until then it asks nobody for anything.
  confirmed_at timestamptz,
  -- The time step of the last code taken: no code works twice.
  last_used_step bigint,
  created_at timestamptz not null default now()
);
create index second_factors_by_key on second_factors (key_id, user_id);

-- Single use: a used one is deleted.
create table recovery_codes (
  user_id text not null references second_factors (user_id) on delete cascade,
  code_hash bytea not null,
  primary key (user_id, code_hash)
);

create table sessions (
  id text primary key,
  user_id text not null references users (id) on delete cascade,
  -- SHA-256 of the secret in the cookie, and of the one before it.
  secret_hash bytea not null,
  former_secret_hash bytea,
  secret_made_at timestamptz not null default now(),
  -- When the present secret came back for the first time; from then on the former one is good for a moment only.
  secret_seen_at timestamptz,
  -- Where the person signed in, and where the session was last seen.
  address text,
  last_address text,
  user_agent text,
  created_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  expires_at timestamptz not null,
  -- Ended ones stay until they would have expired: they tell which places are known to an account.
  ended_at timestamptz
);
create index sessions_by_user on sessions (user_id, id);
create index sessions_by_expiry on sessions (expires_at);

-- Links and tickets that prove something once; a used one is deleted.
create table one_time_tokens (
  id text primary key,
  purpose text not null check (purpose in ('setup', 'passwordReset', 'secondFactor')),
  user_id text references users (id) on delete cascade,
  token_hash bytea not null,
  -- Wrong codes that came with it.
  failures integer not null default 0,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create unique index one_time_tokens_by_hash on one_time_tokens (token_hash);
create index one_time_tokens_by_user on one_time_tokens (user_id, created_at);
create index one_time_tokens_by_expiry on one_time_tokens (expires_at);

create table invitations (
  id text primary key,
  email text not null,
  role text not null,
  -- Null until the e-mail is written.
  token_hash bytea,
  invited_by text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
-- One open invitation an address; accepted and withdrawn ones are deleted, the audit log keeps them.
create unique index invitations_by_email on invitations (lower(email));
create unique index invitations_by_hash on invitations (token_hash);
create index invitations_by_expiry on invitations (expires_at);

-- Failures to prove who one is, counted for all replicas together. Subjects hold hashes of what was typed.
create table login_throttles (
  subject text primary key,
  failures integer not null,
  last_failed_at timestamptz not null,
  blocked_until timestamptz
);
create index login_throttles_by_age on login_throttles (last_failed_at);
