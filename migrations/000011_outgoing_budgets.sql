-- What replicas learned from providers about the budgets of outgoing calls, for the other replicas. Unlogged, because
-- it is worth nothing after some minutes.
create unlogged table rate_limit_learned (
  integration_id text primary key,
  -- Who wrote it last.
  replica_id text not null,
  -- Of its budgets, what the integration uses.
  share double precision not null,
  reason text not null,
  -- The provider said that nothing is left until then.
  shut_until timestamptz,
  changed_at timestamptz not null
);
create index rate_limit_learned_by_change on rate_limit_learned (changed_at);

-- What an integration used is deleted with it.
create index rate_limit_usage_by_prefix on rate_limit_usage (key text_pattern_ops);
