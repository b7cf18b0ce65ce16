-- The audit log: events, the Merkle tree over them, and the signed checkpoints of that tree.

-- What was recorded and is not in the tree yet: a plain insert in the transaction that the event tells of, so writers
-- wait for nobody. The sequencer moves rows on within moments.
create table audit_pending (
  id text primary key,
  -- The event's canonical JSON (RFC 8785) in UTF-8, byte for byte what is hashed.
  event bytea not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

create table audit_entries (
  -- Dense, from 0: the index of the leaf in the tree.
  seq bigint primary key,
  id text not null,
  event bytea not null,
  -- SHA-256 of 0x00 and the event (RFC 6962).
  leaf_hash bytea not null,
  -- Copies of members of the event, to search by; verification compares them.
  occurred_at timestamptz not null,
  actor_kind text not null,
  actor_id text not null,
  action text not null,
  outcome text not null,
  target_kind text,
  target_id text,
  integration_id text
);
-- Not unique: a row forged into audit_pending under an id that exists must not stop the sequencer.
create index audit_entries_by_id on audit_entries (id);
create index audit_entries_by_time on audit_entries (occurred_at, seq);
create index audit_entries_by_actor on audit_entries (actor_id, occurred_at, seq);
create index audit_entries_by_action on audit_entries (action, occurred_at, seq);
create index audit_entries_by_integration on audit_entries (integration_id, occurred_at, seq) where integration_id is not null;
create index audit_entries_by_target on audit_entries (target_id, occurred_at, seq) where target_id is not null;

-- Hashes of complete subtrees of 256, 65,536, … leaves (levels 8, 16, …), so that a proof reads few rows.
create table audit_nodes (
  level smallint not null,
  idx bigint not null,
  hash bytea not null,
  primary key (level, idx)
);

-- One row. Whoever has it locked is the sequencer.
create table audit_tree (
  singleton boolean primary key default true check (singleton),
  size bigint not null,
  -- The hashes of the complete subtrees that the tree consists of, the largest first.
  frontier bytea not null,
  signed_size bigint not null,
  -- Since when there are entries that no checkpoint covers.
  unsigned_since timestamptz
);
insert into audit_tree (size, frontier, signed_size) values (0, '', 0);

create table audit_signing_keys (
  id text primary key,
  -- The public key in the form of C2SP signed-note.
  verifier_key text not null,
  secret_envelope jsonb not null,
  key_id text not null references installation_keys (id),
  created_at timestamptz not null default now()
);
create index audit_signing_keys_by_key on audit_signing_keys (key_id, id);

create table audit_checkpoints (
  tree_size bigint primary key,
  root_hash bytea not null,
  -- C2SP tlog-checkpoint, signed.
  note text not null,
  created_at timestamptz not null default now()
);

create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception '% of % is refused: the audit log is append-only', tg_op, tg_table_name
    using errcode = 'insufficient_privilege';
end $$;

create trigger audit_entries_append_only before update or delete or truncate on audit_entries
  for each statement execute function refuse_audit_change();
create trigger audit_nodes_append_only before update or delete or truncate on audit_nodes
  for each statement execute function refuse_audit_change();
create trigger audit_checkpoints_append_only before update or delete or truncate on audit_checkpoints
  for each statement execute function refuse_audit_change();
-- Deleting is how the sequencer takes rows.
create trigger audit_pending_unchanged before update or truncate on audit_pending
  for each statement execute function refuse_audit_change();

-- ALWAYS: else a session with session_replication_role = replica would pass by.
alter table audit_entries enable always trigger audit_entries_append_only;
alter table audit_nodes enable always trigger audit_nodes_append_only;
alter table audit_checkpoints enable always trigger audit_checkpoints_append_only;
alter table audit_pending enable always trigger audit_pending_unchanged;
