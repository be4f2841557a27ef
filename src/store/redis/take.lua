-- take, hold: calls let pass under limits, and limits that are closed (C20).
--
-- Keys    what rate.lua names
-- In      ARGV[3] the verb; to take [4] for each: name H, count I4, window I6, calls I4, late I6; to hold [4] a
--         name, [5] for how long
-- Out     how long each has to wait; for how long a limit is closed, -1 where there is none to open
-- Cost    some commands a call; nothing is written for one that has to wait
-- Beware  `kept` is the most that anybody counts of a limit: who counts fewer forgets nothing of it

local verb = ARGV[3]

-- The clock went back: those calls count from now.
local function rewind(name)
  local key = P .. 'taken:' .. name
  local entries = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  for i = 1, #entries, 2 do
    if from_six(entries[i]) > now + LATE_MAX then
      redis.call('ZREM', key, entries[i])
      redis.call('ZADD', key, entries[i + 1], six(now + LATE_MAX) .. entries[i + 1])
    end
  end
end

local function take(name, count, window, n, late)
  local key, known = P .. 'rate:' .. name, known_of(name)
  if known.count ~= count or known.window ~= window then
    known.kept = max(known.kept, count)
    redis.call('HSET', key, 'count', count, 'window', whole(window), 'kept', known.kept)
    if redis.call('ZSCORE', P .. 'rates', name) == false then used(name) end
  end
  if newest_at(name) > now + LATE_MAX then rewind(name) end
  if known.closed > now then return known.closed - now end
  local upto = known.total + n
  if upto > count then
    local wait = nth_at(name, upto - count) + window - now
    if wait > 0 then return wait end
  end
  local number = whole(upto)
  redis.call('ZADD', P .. 'taken:' .. name, number, six(max(now + late, newest_at(name))) .. number)
  redis.call('ZREMRANGEBYSCORE', P .. 'taken:' .. name, '-inf', whole(upto - known.kept))
  redis.call('HSET', key, 'total', number)
  used(name)
  return 0
end

local function take_all(blob)
  local waits, waiting, at = {}, {}, 1
  while at <= #blob do
    local name, count, window, n, late
    name, count, window, n, late, at = unstruct('>Hc0I4I6I4I6', blob, at)
    local wait = waiting[name] or take(name, count, window, n, late)
    if wait > 0 then waiting[name] = wait end
    waits[#waits + 1] = wait
  end
  return waits
end

local function hold(name, ms)
  local key = P .. 'rate:' .. name
  if ms == 0 then
    if redis.call('EXISTS', key) == 0 then return -1 end
    redis.call('HSET', key, 'closed', 0)
    return 0
  end
  local closed = max(known_of(name).closed, now + ms)
  redis.call('HSET', key, 'closed', whole(closed))
  used(name)
  return closed - now
end

if verb == 'take' then return take_all(ARGV[4]) end
return hold(ARGV[4], tonumber(ARGV[5]))
