-- limits: what a job says of its keys, and how many of a key have a place, or wait (C17).
--
-- Keys    {p}:places {p}:pending hashes of key to count   {p}:held:<key> zset, see held.lua
-- In      the limits of a row: for each a key, how many run I4, how many wait I4; all ones where that is unbounded
-- Out     counts, written once a call
-- Cost    three commands a call; a job costs none
-- Beware  limits stand in a row behind its input and its place in a batch; three of them are never so LARGE as to lie beside it

-- A script has no more than 200 local names: what nobody else needs has none outside.
local behind, limits_among, limits_at, limits_of, limits_in
do
  local UNBOUNDED = 4294967295
  local INPUT, PLACE, LIMITS = byte('i'), byte('b'), byte('l')

  function behind(bytes, at)
    local length = unstruct('>I4', bytes, at + 1)
    return at + 5 + (length == UNBOUNDED and 0 or length)
  end

  -- The first section of a row being this one, whose bytes begin at `at`; and where what follows its limits begins.
  function limits_among(raw, code, length, at)
    local size = #raw
    while code ~= LIMITS do
      if code ~= INPUT and code ~= PLACE then return end
      if length ~= UNBOUNDED then at = at + length end
      if at > size then return end
      code, length, at = unstruct('>BI4', raw, at)
    end
    return sub(raw, at, at + length - 1), at + length
  end

  -- Of a row that has sections, and whose priority stands at `at`.
  function limits_at(raw, at)
    local _, code, length, from = unstruct('>xxxxxxxxxHc0BI4', raw, at)
    return limits_among(raw, code, length, from)
  end

  function limits_of(raw)
    local marks = byte(raw, 2)
    if bit.band(marks, TRAILS) == 0 then return end
    local at = bit.band(marks, LIFE) > 0 and WITH_LIFE or HEAD
    if at + 11 + unstruct('>H', raw, at + 9) > #raw then return end
    return limits_at(raw, at)
  end

  -- Most jobs of a call share theirs.
  local unpacked = {}
  function limits_in(packed)
    local limits = unpacked[packed]
    if limits then return limits end
    local at = 1
    limits = { runs = {}, waits = {} }
    while at <= #packed do
      local key, running, pending
      key, running, pending, at = unstruct('>Hc0I4I4', packed, at)
      local limit = { key = key, running = running ~= UNBOUNDED and running, pending = pending ~= UNBOUNDED and pending }
      limits[#limits + 1] = limit
      if limit.running then limits.runs[#limits.runs + 1] = limit end
      if limit.pending then limits.waits[#limits.waits + 1] = limit end
    end
    unpacked[packed] = limits
    return limits
  end
end

local function first_key(packed)
  local first = limits_in(packed).runs[1]
  return first and first.key
end

-- The key in whose line a job stands.
local function holder_of(packed, place)
  for _, limit in ipairs(limits_in(packed).runs) do
    if redis.call('ZSCORE', P .. 'held:' .. limit.key, place) then return limit.key end
  end
end

local function each_part(list, act)
  for from = 1, #list, BATCH do act(unpack(list, from, min(from + BATCH - 1, #list))) end
end

local count_key, counted, load_counts
do
  -- What is stored of a key, as far as it was read, and what this call has done to it.
  local stored = { places = {}, pending = {} }
  local changes = { places = {}, pending = {} }

  function count_key(what, key, by)
    local change = changes[what]
    change[key] = (change[key] or 0) + by
  end

  function load_counts(what, keys)
    local unread = {}
    for _, key in ipairs(keys) do
      if not stored[what][key] then unread[#unread + 1] = key end
    end
    each_part(unread, function(...)
      local found = redis.call('HMGET', P .. what, ...)
      for i, key in ipairs({ ... }) do stored[what][key] = tonumber(found[i] or 0) end
    end)
  end

  function counted(what, key)
    if not stored[what][key] then load_counts(what, { key }) end
    return stored[what][key] + (changes[what][key] or 0)
  end

  local function write_changes(what)
    local keys, kept, gone = {}, {}, {}
    for key, by in pairs(changes[what]) do
      if by ~= 0 then keys[#keys + 1] = key end
    end
    load_counts(what, keys)
    for _, key in ipairs(keys) do
      local count = counted(what, key)
      if count == 0 then
        gone[#gone + 1] = key
      else
        kept[#kept + 1], kept[#kept + 2] = key, count
      end
    end
    each_part(kept, function(...) redis.call('HSET', P .. what, ...) end)
    each_part(gone, function(...) redis.call('HDEL', P .. what, ...) end)
  end

  before_finish[#before_finish + 1] = function()
    write_changes('places')
    write_changes('pending')
  end
end

-- One more that waits, or one fewer.
local function count_pending(packed, by)
  local waits = limits_in(packed).waits
  for i = 1, #waits do count_key('pending', waits[i].key, by) end
end

-- The key of which as many wait as may.
local function full_key(packed)
  for _, limit in ipairs(limits_in(packed).waits) do
    if counted('pending', limit.key) >= limit.pending then return limit.key end
  end
end
