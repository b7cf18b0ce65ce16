/**
 * All limits of one call, atomically and by the clock of Redis. One key a limit, which holds a MessagePack map:
 * `k` strategy, `u` used, `a` its time (the beginning of a fixed window, when a bucket was last looked at),
 * `i` from when on it is idle, `t` and `c` times and costs of a sliding log.
 *
 * ARGV: operation (take, give, charge), time or '' for the clock's, then four numbers of the operation
 * (take: atLeast, atMost, share, leaseMs; give: cost, takenAtMs, leaseMs, 0; charge: cost, 0, 0, 0),
 * then strategy, limit, windowMs and capacity of each key.
 *
 * Answers numbers as text: Redis cuts fractions off.
 */
export const LIMIT_SCRIPT = `
local MAX_RUNS, MAX_LEASE = 256, 1000
local operation, now = ARGV[1], tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local one, two, three, four = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

local function total(state)
  local sum = 0
  for index = 1, #state.c do sum = sum + state.c[index] end
  return sum
end

local function load(key, rule)
  local raw = redis.call('GET', key)
  local state = raw and cmsgpack.unpack(raw) or { k = rule.k, u = 0, a = false, i = now, t = {}, c = {} }
  if state.k ~= rule.k then
    local used = 0
    if state.i > now then used = state.k == 'sliding_window' and total(state) or math.ceil(state.u - 1e-9) end
    state = { k = rule.k, u = used, a = false, i = state.i, t = {}, c = {} }
    if rule.k == 'sliding_window' and used > 0 then state.t, state.c = { now }, { used } end
  end
  if rule.k == 'fixed_window' then
    local aligned = math.floor(now / rule.w) * rule.w
    if not state.a then state.a = aligned
    elseif now < state.a then state.a = now
    elseif now >= state.a + rule.w then
      state.u = 0
      state.a = math.max(aligned, state.a + rule.w)
    end
  elseif rule.k == 'token_bucket' then
    if state.a and now > state.a then state.u = math.max(0, state.u - (now - state.a) * rule.l / rule.w) end
    state.a = now
  else
    local times, costs = {}, {}
    for index = 1, #state.t do
      -- What is later than any lease was written before the clock was set back.
      local time = math.min(state.t[index], now + MAX_LEASE)
      if time + rule.w > now then
        if times[#times] == time then costs[#costs] = costs[#costs] + state.c[index]
        else
          times[#times + 1] = time
          costs[#costs + 1] = state.c[index]
        end
      end
    end
    state.t, state.c = times, costs
    state.u = total(state)
  end
  return state
end

local function wait(state, rule, cost)
  if cost > rule.c then return math.huge end
  local lacking = state.u + cost - rule.c
  if lacking <= 1e-9 then return 0 end
  if rule.k == 'token_bucket' then return lacking * rule.w / rule.l end
  if rule.k == 'fixed_window' then return state.a + rule.w - now end
  for index = 1, #state.t do
    lacking = lacking - state.c[index]
    if lacking <= 0 then return state.t[index] + rule.w - now end
  end
  return rule.w
end

local function coarsen(state)
  local grain = 1
  while #state.t > MAX_RUNS / 2 do
    grain = grain * 2
    local times, costs = {}, {}
    for index = 1, #state.t do
      local time = math.ceil(state.t[index] / grain) * grain
      if times[#times] == time then costs[#costs] = costs[#costs] + state.c[index]
      else
        times[#times + 1] = time
        costs[#costs + 1] = state.c[index]
      end
    end
    state.t, state.c = times, costs
  end
end

local function add(state, rule, cost, stamp)
  state.u = state.u + cost
  if rule.k ~= 'sliding_window' or cost == 0 then return end
  local last = #state.t
  if last > 0 and state.t[last] >= stamp then state.c[last] = state.c[last] + cost
  else
    state.t[last + 1] = stamp
    state.c[last + 1] = cost
    if last + 1 > MAX_RUNS then coarsen(state) end
  end
end

local function give(state, rule, cost, takenAt, lease)
  if rule.k == 'token_bucket' then
    -- What the bucket has gained since may already be what is given back.
    state.u = math.max(0, state.u - math.max(0, cost - math.max(0, now - takenAt) * rule.l / rule.w))
  elseif rule.k == 'fixed_window' then
    if state.a <= takenAt then state.u = math.max(0, state.u - cost) end
  elseif takenAt + lease + rule.w > now then
    for index = 1, #state.t do
      if state.t[index] >= takenAt + lease then
        state.c[index] = math.max(0, state.c[index] - cost)
        break
      end
    end
    state.u = total(state)
  end
end

local function save(key, state, rule)
  if rule.k == 'fixed_window' then state.i = state.a + rule.w
  elseif rule.k == 'token_bucket' then state.i = now + state.u * rule.w / rule.l
  else state.i = #state.t > 0 and state.t[#state.t] + rule.w or now end
  if state.i <= now then redis.call('DEL', key)
  -- Rules may be changed to longer windows: what was used is kept a little longer than it counts.
  else redis.call('SET', key, cmsgpack.pack(state), 'PX', math.ceil(state.i - now) + 1000) end
end

local rules, states = {}, {}
for index = 1, #KEYS do
  local at = 6 + (index - 1) * 4
  rules[index] = { k = ARGV[at + 1], l = tonumber(ARGV[at + 2]), w = tonumber(ARGV[at + 3]), c = tonumber(ARGV[at + 4]) }
  states[index] = load(KEYS[index], rules[index])
end

if operation ~= 'take' then
  for index = 1, #KEYS do
    if operation == 'give' then give(states[index], rules[index], one, two, three)
    else add(states[index], rules[index], one, now) end
    save(KEYS[index], states[index], rules[index])
  end
  return {}
end

local refusing, longest, left, valid = 1, 0, math.huge, four
for index = 1, #KEYS do
  local state, rule = states[index], rules[index]
  local waits = wait(state, rule, one)
  if waits > longest then refusing, longest = index, waits end
  left = math.min(left, rule.c - state.u)
  if rule.k == 'fixed_window' then valid = math.min(valid, state.a + rule.w - now) end
end
local granted = 0
if longest == 0 then
  granted = math.min(two, math.max(one, math.floor((left + 1e-9) / three)))
  for index = 1, #KEYS do add(states[index], rules[index], granted, now + four) end
end
for index = 1, #KEYS do save(KEYS[index], states[index], rules[index]) end
local function text(number) return string.format('%.17g', number) end
return {
  text(granted), text(math.max(0, math.floor(left - granted + 1e-9))), text(refusing - 1),
  text(math.max(0, states[refusing].i - now)), text(longest), text(now), text(valid),
}
`;
