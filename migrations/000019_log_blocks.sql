-- Words of logs: which blocks of records may hold a word, so that a search for one passes over the rest.

-- A block is up to 512 records with numbers that follow each other. What is not in here up to log_block_progress.upto
-- has no record any more. Records are taken away later without a change here, so a block may promise more than it has.
create table log_blocks (
  first_seq bigint primary key,
  last_seq bigint not null,
  -- All its records were observed between these, both included.
  from_at timestamptz not null,
  to_at timestamptz not null,
  -- A bit for each three characters that follow each other in a message, in lower case. Null: may hold any word.
  words bytea
);
create index log_blocks_by_time on log_blocks (to_at);

-- How far blocks are made. Whoever makes or changes one locks the row.
create table log_block_progress (
  id boolean primary key default true check (id),
  upto bigint not null
);
insert into log_block_progress (upto) values (0);
