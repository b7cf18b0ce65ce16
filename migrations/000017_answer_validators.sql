-- Whether syncs ask only if an answer is still the one that they know; null is the connector's own.
alter table integration_tuning add column cache_validators boolean;

-- What the provider said of the answer that was the whole last read of the stream, and nothing has been written since:
-- its validators, what it was asked for, how often it was confirmed. Only where nothing of that read is left to do.
alter table sync_states add column known_answer jsonb;
alter table sync_states add constraint sync_states_known_answer_is_settled check (
  known_answer is null
  or (due_deletions is null and pending_deletions is null and missing_count = 0
      and full_read_id is not distinct from complete_read_id)
);

alter table sync_runs
  -- Stream -> how its read was like the one before: the answer was confirmed without being sent, or came again the same.
  add column repeats jsonb not null default '{}',
  -- Records of the answers that were confirmed.
  add column records_confirmed bigint not null default 0;
