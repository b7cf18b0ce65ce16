-- Rate limits that replicas share: what people set, and, where there is no Redis, what is used of them.

create table rate_limits (
  integration_id text not null,
  action text not null,
  -- The fields that were set; the others come from the caller or the defaults.
  config jsonb not null,
  -- Of rate_limit_revision when it was written.
  revision bigint not null,
  updated_at timestamptz not null default now(),
  primary key (integration_id, action)
);
create index rate_limits_by_revision on rate_limits (revision);

-- What was used before counts no more: keys carry the number, so a new one is a clean slate on every replica.
create table rate_limit_clears (
  -- '' for all integrations.
  integration_id text primary key,
  revision bigint not null
);
create index rate_limit_clears_by_revision on rate_limit_clears (revision);

-- Raised by every change, in its transaction: readers that know a number have seen all changes up to it.
create table rate_limit_revision (
  id boolean primary key default true check (id),
  revision bigint not null
);
insert into rate_limit_revision (revision) values (0);

-- Unlogged, because they are worth nothing after their windows and are written all the time: a crash of the database
-- server empties them.
create unlogged table rate_limit_replicas (
  id text primary key,
  seen_at timestamptz not null
);

create unlogged table rate_limit_usage (
  key text primary key,
  strategy text not null,
  used double precision not null,
  -- The beginning of a fixed window, or when a bucket was last looked at. Milliseconds since the epoch, as below.
  at_ms double precision,
  idle_at_ms double precision not null,
  -- Of a sliding log.
  run_times double precision[] not null,
  run_costs double precision[] not null
) with (fillfactor = 50);

-- All limits of one call, in one statement and by the clock of the database; see src/rateLimits/postgresLimitStore.ts.
-- The same steps as src/rateLimits/redisScript.ts. Keys have to come sorted, so that two calls cannot deadlock.
create function use_rate_limits(
  operation text, time_ms double precision, numbers double precision[],
  keys text[], strategies text[], limits double precision[], windows double precision[], capacities double precision[]
) returns double precision[] language plpgsql as $$
declare
  now_ms double precision := coalesce(time_ms, floor(extract(epoch from clock_timestamp()) * 1000));
  cost double precision := numbers[1];
  states rate_limit_usage[];
  state rate_limit_usage;
  aligned double precision;
  waits double precision;
  lacking double precision;
  grain double precision;
  stamp double precision := now_ms + case when operation = 'take' then numbers[4] else 0 end;
  refusing integer := 1;
  longest double precision := 0;
  remaining double precision := 'infinity';
  valid_ms double precision := numbers[4];
  granted double precision := 0;
  last integer;
begin
  for index in 1 .. cardinality(keys) loop
    insert into rate_limit_usage values (keys[index], strategies[index], 0, null, now_ms, '{}', '{}') on conflict do nothing;
    select * into strict state from rate_limit_usage where key = keys[index] for update;

    if state.strategy <> strategies[index] then
      state.used := case
        when state.idle_at_ms <= now_ms then 0
        when state.strategy = 'sliding_window' then (select coalesce(sum(one), 0) from unnest(state.run_costs) one)
        else ceil(state.used - 1e-9) end;
      state.strategy := strategies[index];
      state.at_ms := null;
      state.run_times := '{}';
      state.run_costs := '{}';
      if state.strategy = 'sliding_window' and state.used > 0 then
        state.run_times := array[now_ms];
        state.run_costs := array[state.used];
      end if;
    end if;

    if state.strategy = 'fixed_window' then
      aligned := floor(now_ms / windows[index]) * windows[index];
      if state.at_ms is null then state.at_ms := aligned;
      elsif now_ms < state.at_ms then state.at_ms := now_ms;
      elsif now_ms >= state.at_ms + windows[index] then
        state.used := 0;
        state.at_ms := greatest(aligned, state.at_ms + windows[index]);
      end if;
    elsif state.strategy = 'token_bucket' then
      if now_ms > state.at_ms then
        state.used := greatest(0, state.used - (now_ms - state.at_ms) * limits[index] / windows[index]);
      end if;
      state.at_ms := now_ms;
    else
      -- What is later than any lease was written before the clock was set back.
      select coalesce(array_agg(time order by time), '{}'), coalesce(array_agg(total order by time), '{}'),
             coalesce(sum(total), 0)
      into state.run_times, state.run_costs, state.used
      from (
        select least(time, now_ms + 1000) as time, sum(one) as total
        from unnest(state.run_times, state.run_costs) as run (time, one)
        where least(time, now_ms + 1000) + windows[index] > now_ms
        group by least(time, now_ms + 1000)
      ) runs;
    end if;

    if operation = 'take' then
      lacking := state.used + cost - capacities[index];
      waits := 0;
      if cost > capacities[index] then waits := 'infinity';
      elsif lacking > 1e-9 and state.strategy = 'token_bucket' then waits := lacking * windows[index] / limits[index];
      elsif lacking > 1e-9 and state.strategy = 'fixed_window' then waits := state.at_ms + windows[index] - now_ms;
      elsif lacking > 1e-9 then
        waits := windows[index];
        for run in 1 .. cardinality(state.run_times) loop
          lacking := lacking - state.run_costs[run];
          if lacking <= 0 then
            waits := state.run_times[run] + windows[index] - now_ms;
            exit;
          end if;
        end loop;
      end if;
      if waits > longest then
        refusing := index;
        longest := waits;
      end if;
      remaining := least(remaining, capacities[index] - state.used);
      if state.strategy = 'fixed_window' then
        valid_ms := least(valid_ms, state.at_ms + windows[index] - now_ms);
      end if;
    end if;
    states[index] := state;
  end loop;

  if operation = 'charge' then granted := cost;
  elsif operation = 'take' and longest = 0 then
    granted := least(numbers[2], greatest(cost, floor((remaining + 1e-9) / numbers[3])));
  end if;

  for index in 1 .. cardinality(keys) loop
    state := states[index];
    if operation = 'give' then
      if state.strategy = 'token_bucket' then
        -- What the bucket has gained since may already be what is given back.
        state.used := greatest(0, state.used
          - greatest(0, cost - greatest(0, now_ms - numbers[2]) * limits[index] / windows[index]));
      elsif state.strategy = 'fixed_window' then
        if state.at_ms <= numbers[2] then state.used := greatest(0, state.used - cost); end if;
      elsif numbers[2] + numbers[3] + windows[index] > now_ms then
        for run in 1 .. cardinality(state.run_times) loop
          if state.run_times[run] >= numbers[2] + numbers[3] then
            state.run_costs[run] := greatest(0, state.run_costs[run] - cost);
            exit;
          end if;
        end loop;
      end if;
    elsif granted > 0 then
      state.used := state.used + granted;
      if state.strategy = 'sliding_window' then
        last := cardinality(state.run_times);
        if last > 0 and state.run_times[last] >= stamp then
          state.run_costs[last] := state.run_costs[last] + granted;
        else
          state.run_times := state.run_times || stamp;
          state.run_costs := state.run_costs || granted;
        end if;
        grain := 1;
        while cardinality(state.run_times) > case when grain = 1 then 256 else 128 end loop
          grain := grain * 2;
          select array_agg(time order by time), array_agg(total order by time) into state.run_times, state.run_costs
          from (
            select ceil(time / grain) * grain as time, sum(one) as total
            from unnest(state.run_times, state.run_costs) as run (time, one) group by ceil(time / grain)
          ) runs;
        end loop;
      end if;
    end if;
    state.idle_at_ms := case state.strategy
      when 'fixed_window' then state.at_ms + windows[index]
      when 'token_bucket' then now_ms + state.used * windows[index] / limits[index]
      else coalesce(state.run_times[cardinality(state.run_times)] + windows[index], now_ms) end;
    update rate_limit_usage set (strategy, used, at_ms, idle_at_ms, run_times, run_costs)
      = (state.strategy, state.used, state.at_ms, state.idle_at_ms, state.run_times, state.run_costs)
    where key = keys[index];
    states[index] := state;
  end loop;
  return array[granted, greatest(0, floor(remaining - granted + 1e-9)), refusing - 1,
               greatest(0, states[refusing].idle_at_ms - now_ms), longest, now_ms, valid_ms];
end $$;
