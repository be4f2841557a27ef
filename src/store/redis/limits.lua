-- limits: places of keys, and the lines of those that wait for one (C17).
--
-- Keys    {p}:places {p}:pending hashes of key to count   {p}:held:<key> zset by priority and moment
--         {p}:heldkeys set of keys with a line
-- In      the limits of a row: for each a key, how many run I4, how many wait I4; all ones where that is unbounded
-- Out     rows changed; whoever calls writes nothing more of them
-- Cost    some commands a key and job; one job admitted for each place that was given back
-- Beware  a job stands in one line only: when another of its keys turns out to be full it moves to that one's

-- Scores hold both, exactly: moments stay below this until the year 2248.
local AGES = 8796093022208
local UNBOUNDED = 4294967295

local function limits_in(packed)
  local limits, at = {}, 1
  while at <= #packed do
    local key, running, pending
    key, running, pending, at = unstruct('>Hc0I4I4', packed, at)
    limits[#limits + 1] = { key = key, running = running ~= UNBOUNDED and running, pending = pending ~= UNBOUNDED and pending }
  end
  return limits
end

local function count_key(what, key, by)
  if redis.call('HINCRBY', P .. what, key, by) == 0 then redis.call('HDEL', P .. what, key) end
end

-- One more that waits, or one fewer.
local function count_pending(packed, by)
  for _, limit in ipairs(limits_in(packed)) do
    if limit.pending then count_key('pending', limit.key, by) end
  end
end

local freed, freed_keys = {}, {}
local function free_key(key)
  if freed[key] then return end
  freed[key] = true
  freed_keys[#freed_keys + 1] = key
end

local function give_places(packed)
  for _, limit in ipairs(limits_in(packed)) do
    if limit.running then
      count_key('places', limit.key, -1)
      free_key(limit.key)
    end
  end
end

local function first_key(packed)
  for _, limit in ipairs(limits_in(packed)) do
    if limit.running then return limit.key end
  end
end

local function stand_held(id, row, key)
  row.has.h = key
  redis.call('ZADD', P .. 'held:' .. key, row.priority * AGES + row.run_at, row.turn .. id)
  redis.call('SADD', P .. 'heldkeys', key)
end

local function leave_held(id, row)
  local key = row.has.h
  row.has.h = nil
  if redis.call('ZREM', P .. 'held:' .. key, row.turn .. id) == 1
    and redis.call('EXISTS', P .. 'held:' .. key) == 0 then redis.call('SREM', P .. 'heldkeys', key) end
end

-- The key of which as many wait as may.
local function full_key(packed)
  for _, limit in ipairs(limits_in(packed)) do
    if limit.pending and tonumber(redis.call('HGET', P .. 'pending', limit.key) or 0) >= limit.pending then
      return limit.key
    end
  end
end

local function key_without_place(limits)
  for _, limit in ipairs(limits) do
    if limit.running and tonumber(redis.call('HGET', P .. 'places', limit.key) or 0) >= limit.running then
      return limit.key
    end
  end
end

-- Whether there may be another to admit.
local function admit_one(key)
  local place = redis.call('ZRANGE', P .. 'held:' .. key, 0, 0)[1]
  if not place then return false end
  local id = sub(place, 7)
  local raw = get(id)
  if not raw then return false end
  local row = read(raw)
  local limits = limits_in(row.has.l)
  local full = key_without_place(limits)
  if full == key then return false end
  leave_held(id, row)
  if full then
    stand_held(id, row, full)
  else
    for _, limit in ipairs(limits) do
      if limit.running then redis.call('HINCRBY', P .. 'places', limit.key, 1) end
    end
    redis.call('ZADD', P .. 'line:' .. kind(row.kind).queue, row.priority * AGES + row.run_at, place)
    rung.ready = true
  end
  write(id, row)
  return true
end

-- Hands places on, of the keys whose places or lines have changed.
local function admit_held()
  local at = 1
  while at <= #freed_keys do
    while admit_one(freed_keys[at]) do end
    at = at + 1
  end
  freed, freed_keys = {}, {}
end
before_finish[#before_finish + 1] = admit_held
