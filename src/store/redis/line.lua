-- line: where a job stands that does not run, and what its end leaves behind (C7, C9, C10).
--
-- Keys    {p}:ready:<priority>:<queue> list of those that came in ready, oldest first
--         {p}:line:<queue> zset of those that became ready later, by priority and moment
--         {p}:scheduled zset by moment   {p}:waiting zset by turn   {p}:parked:<job> set
--         {p}:failed {p}:cancelled zsets by moment   {p}:ended zset by the moment to go
--         {p}:attempts:<id> list of packed runs
-- In      an id and its row
-- Out     the row changed; whoever calls writes it
-- Cost    one or two commands a job; a list is never searched
-- Beware  a list keeps the entry of a job that was cancelled: its turn and marks tell that it is stale

local ATTEMPTS_MAX = 1000

-- One that needs a place stands in the line of a key until it has one.
local function line_up(id, row)
  row.state = READY
  mark(row, LINED, true)
  local score = score_of(row.priority, row.run_at)
  local queue, key = kind(row.kind).queue, row.has.l and first_key(row.has.l)
  if key then
    come(key, queue, score, row.turn .. id, row.has.l)
    return
  end
  redis.call('ZADD', P .. 'line:' .. queue, score_text(score), row.turn .. id)
end

local function schedule(id, row)
  row.state = SCHEDULED
  redis.call('ZADD', P .. 'scheduled', row.run_at, row.turn .. id)
end

local function park(id, row, what)
  row.state = WAITING
  row.has.w = what
  -- It waits for no letter.
  if marked(row, TRAILS) then redis.call('DEL', P .. 'awaits:' .. id) end
  redis.call('ZADD', P .. 'waiting', 0, row.turn .. id)
  redis.call('SADD', P .. 'parked:' .. kind(row.kind).job, id)
end

-- Takes a job from wherever it stands.
local function leave(id, row)
  local state = row.state
  if state == SCHEDULED then
    redis.call('ZREM', P .. 'scheduled', row.turn .. id)
  elseif state == READY and row.has.l and leave_held(id, row) then
    return
  elseif state == READY and marked(row, LINED) then
    if row.has.l then give_places(row.has.l, 1) end
    redis.call('ZREM', P .. 'line:' .. kind(row.kind).queue, row.turn .. id)
  elseif state == WAITING then
    redis.call('ZREM', P .. 'waiting', row.turn .. id)
    redis.call('SREM', P .. 'parked:' .. kind(row.kind).job, id)
    if row.has.z then redis.call('ZREM', P .. 'scheduled', row.turn .. id) end
    set(id, row, 'w', nil)
    set(id, row, 'z', nil)
  elseif state == FAILED then
    redis.call('ZREM', P .. 'failed', row.turn .. id)
  elseif state == CANCELLED then
    redis.call('ZREM', P .. 'cancelled', row.turn .. id)
  end
end

local ended = {}
local function keep(keep_ms, place)
  local places = ended[keep_ms]
  if not places then
    places = {}
    ended[keep_ms] = places
  end
  places[#places + 1] = place
end

-- One entry a call and span, not one a job.
local function finish_ended()
  for keep_ms, places in pairs(ended) do
    local at = now + keep_ms
    redis.call('ZADD', P .. 'ended', at, NOW .. table.concat(places))
  end
end

-- As much as a row can hold; the rest is for ever.
local FOREVER = 2 ^ 48 - 1
local function kept_until(keep_ms) return min(now + keep_ms, FOREVER) end

local function free_unique(id, row)
  if not marked(row, HOLDS) then return end
  mark(row, HOLDS, false)
  redis.call('HDEL', P .. 'unique', row.has.u)
end

local function stop(id, row, state, keep_ms)
  row.state = state
  row.ended_at, row.receipt = NOW, kept_until(keep_ms)
  keep(keep_ms, row.turn .. id)
  if state ~= COMPLETED then
    local set_of = state == FAILED and 'failed' or 'cancelled'
    redis.call('ZADD', P .. set_of, now, row.turn .. id)
  end
  if state ~= COMPLETED or not row.has.k then free_unique(id, row) end
  if row.has.b then tell_end(row.has.b, state, row.has.W, 1) end
end

local function remember(id, row, name, failure)
  local key = P .. 'attempts:' .. id
  mark(row, TRAILS, true)
  redis.call('RPUSH', key, pack('>I6c16c6c6H', row.fence, row.worker, row.started_at, NOW, #name)
    .. name .. (failure and '\1' .. failure or '\0'))
  redis.call('LTRIM', key, -ATTEMPTS_MAX, -1)
end
