-- list: walks what holds just the jobs asked for, and names those that fit (C10).
--
-- Keys    {p}:turns and its chunks, {p}:tag:<tag>, {p}:ready:* and {p}:line:*, {p}:scheduled, {p}:waiting,
--         {p}:failed, {p}:cancelled, {p}:receipts:*
-- In      ARGV[3] walk, [4] its tag, or priority and queue, [5] where it goes on or '', [6] limit,
--         [7] budget of looks, then state, job, queue, tenant, batch, each '' or '=' and the value
-- Out     { ids, looked at, where it goes on or '' }
-- Cost    one MGET for each hundred looked at; a cursor is found by bisection
-- Beware  reads only; where it goes on is a score and a member, and the job there may be gone by now

local walk, of, from, limit, budget = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local STEP = 100

-- A walk gives `size`, `range` (entries at ranks, in its order) and `key` (score and member of a rank).
local function zset(name, backwards)
  local key = P .. name
  local order = backwards and 'ZREVRANGE' or 'ZRANGE'
  return {
    size = redis.call('ZCARD', key),
    range = function(a, b) return redis.call(order, key, a, b) end,
    key = function(rank)
      local found = redis.call(order, key, rank, rank, 'WITHSCORES')
      return tonumber(found[2]), found[1]
    end,
    backwards = backwards,
  }
end

-- The part of a queue's line that has one priority.
local function line(priority, queue)
  local key = P .. 'line:' .. queue
  local first = redis.call('ZCOUNT', key, '-inf', '(' .. priority * AGES)
  return {
    size = redis.call('ZCOUNT', key, priority * AGES, '(' .. (priority + 1) * AGES),
    range = function(a, b) return redis.call('ZRANGE', key, first + a, first + b) end,
    key = function(rank)
      local found = redis.call('ZRANGE', key, first + rank, first + rank, 'WITHSCORES')
      return tonumber(found[2]), found[1]
    end,
  }
end

-- Those that wait for a place of one key.
local function held(key) return zset('held:' .. key) end

local function list(name)
  local key = P .. name
  return {
    size = redis.call('LLEN', key),
    range = function(a, b) return redis.call('LRANGE', key, a, b) end,
    key = function(rank)
      local place = redis.call('LINDEX', key, rank)
      return from_six(place), place
    end,
  }
end

-- All turns from the newest on: chunks of 256, most of them full.
local function turns()
  return {
    size = turn,
    backwards = true,
    range = function(a, b)
      local found = {}
      local upper = turn - 1 - a
      local lower = max(turn - 1 - b, floor(upper / CHUNK) * CHUNK)
      local chunk = floor(upper / CHUNK)
      local ids = redis.call('GETRANGE', P .. 'turns:' .. chunk, (lower % CHUNK) * 16,
        (upper % CHUNK) * 16 + 15)
      if ids == '' then
        local older = redis.call('ZRANGE', P .. 'turns', chunk, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, 1)
        return found, upper - (older[1] and older[1] * CHUNK + CHUNK - 1 or -1)
      end
      for at = upper, lower, -1 do
        local seat_at = (at - lower) * 16
        found[#found + 1] = six(at) .. sub(ids, seat_at + 1, seat_at + 16)
      end
      return found
    end,
    key = function(rank) return turn - 1 - rank, '' end,
  }
end

local function running()
  local found = {}
  for _, id in ipairs(redis.call('SMEMBERS', P .. 'workers')) do
    local receipts = redis.call('HGETALL', P .. 'receipts:' .. id)
    for i = 1, #receipts, 2 do
      local running = still_running(id, tonumber(receipts[i]), receipts[i + 1])
      for _, one in ipairs(running) do found[#found + 1] = sub(one[2], 7, 12) .. one[1] end
    end
  end
  table.sort(found, function(a, b) return from_six(a) < from_six(b) end)
  return {
    size = #found,
    range = function(a, b)
      local some = {}
      for i = a + 1, min(b + 1, #found) do some[#some + 1] = found[i] end
      return some
    end,
    key = function(rank) return from_six(found[rank + 1]), found[rank + 1] end,
  }
end

local WALKS = {
  all = turns,
  running = running,
  tagged = function() return zset('tag:' .. of, true) end,
  list = function() return list('ready:' .. of) end,
  line = function() return line(tonumber(sub(of, 1, 1)), sub(of, 3)) end,
  held = function() return held(of) end,
  scheduled = function() return zset('scheduled') end,
  waiting = function() return zset('waiting') end,
  failed = function() return zset('failed', true) end,
  cancelled = function() return zset('cancelled', true) end,
}
open_head()
local source = WALKS[walk]()

-- Members begin with a turn, which is what tells them apart; tags hold bare ids and one turn each.
local function precedes(score, member, other, place)
  if score ~= other then return (score < other) ~= (source.backwards == true) end
  if member == place or #member < 22 or #place < 22 then return false end
  return (from_six(member) < from_six(place)) ~= (source.backwards == true)
end

local start = 0
if from ~= '' then
  local score, place, upto = from_six(from), sub(from, 7), source.size
  while start < upto do
    local middle = floor((start + upto) / 2)
    local at, member = source.key(middle)
    if precedes(score, place, at, member) then upto = middle else start = middle + 1 end
  end
end

local function wants(argument, value)
  return argument == '' or sub(argument, 2) == value
end

local STANDS = { list = READY, line = READY, held = READY, scheduled = SCHEDULED }

local function fits(id, raw, own)
  if not raw or (own and sub(raw, 7, 12) ~= own) then return false end
  local state, marks = byte(raw, 1, 2)
  if not wants(ARGV[8], tostring(state)) then return false end
  if STANDS[walk] and state ~= STANDS[walk] then return false end
  if walk == 'list' and bit.band(marks, LINED) > 0 then return false end
  local at = bit.band(marks, LIFE) > 0 and WITH_LIFE or HEAD
  local _, what, tenant = unstruct('>Bc8Hc0', raw, at)
  local known = kind(what)
  return known and wants(ARGV[9], known.job) and wants(ARGV[10], known.queue) and wants(ARGV[11], tenant)
    and (ARGV[12] == '' or (bit.band(marks, PLACED) > 0 and sub(place_in(raw), 1, 16) == sub(ARGV[12], 2)))
end

local found, looked, last, more = {}, 0, nil, false
local rank = start
while rank < source.size and looked < budget and not more do
  local step = min(STEP, budget - looked, source.size - rank)
  local places, empty = source.range(rank, rank + step - 1)
  local ids = {}
  for i, place in ipairs(places) do ids[i] = #place > 16 and sub(place, 7) or place end
  fetch(ids)
  for i, id in ipairs(ids) do
    if fits(id, rows[id], #places[i] > 16 and sub(places[i], 1, 6) or nil) then
      if #found >= limit then
        more = true
        break
      end
      found[#found + 1] = id
      last = rank + i - 1
    end
  end
  -- What was erased by the chunk is stepped over, and costs one look.
  rank = rank + (empty or #places)
  looked = looked + max(#places, 1)
end

local next_rank = more and last or (rank < source.size and rank - 1) or nil
if not next_rank then return { table.concat(found), looked, '' } end
local score, member = source.key(next_rank)
return { table.concat(found), looked, six(score) .. member }
