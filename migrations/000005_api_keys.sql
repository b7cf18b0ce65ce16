-- API keys of users, and the accounts of Stack Auth that belong to users.

create table api_keys (
  -- The key's text carries it, without the prefix.
  id text primary key,
  user_id text not null references users (id) on delete cascade,
  name text not null,
  -- SHA-256; the secret is 256 random bits, so nothing slower is needed.
  secret_hash bytea not null,
  -- What it is limited to; null: whatever its user may do.
  permissions text[],
  integration_ids text[],
  status text not null default 'active' check (status in ('active', 'frozen', 'revoked')),
  frozen_reason text,
  expires_at timestamptz,
  -- Written at most once a minute.
  last_used_at timestamptz,
  rotated_from text references api_keys (id) on delete set null,
  -- Of a key that was rotated: until then it goes on working beside the new one.
  overlap_until timestamptz,
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);
create index api_keys_by_user on api_keys (user_id, id);
create index api_keys_by_rotation on api_keys (rotated_from) where rotated_from is not null;

-- What was read of a key counts until the version rises; its last use changes nothing.
create constraint trigger api_keys_change_access after insert or delete on api_keys
  deferrable initially deferred for each row execute function raise_access_version();
create constraint trigger api_keys_update_access after update on api_keys
  deferrable initially deferred for each row
  when (old.last_used_at is not distinct from new.last_used_at)
  execute function raise_access_version();

create table stack_identities (
  project_id text not null,
  -- `sub` of its tokens.
  subject text not null,
  user_id text not null references users (id) on delete cascade,
  linked_at timestamptz not null default now(),
  primary key (project_id, subject)
);
create index stack_identities_by_user on stack_identities (user_id);
create constraint trigger stack_identities_change_access after insert or update or delete on stack_identities
  deferrable initially deferred for each row execute function raise_access_version();

-- Lists limited to some platforms are read along it, as those of owners are along integrations_by_owner.
create index integrations_by_platform on integrations (platform, id);
