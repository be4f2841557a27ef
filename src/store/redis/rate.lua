-- rate: what is known of limits, and when the calls under them passed (C20).
--
-- Keys    {p}:rates zset of names by when they were used   {p}:rate:<name> hash: count, window, kept, total, closed
--         {p}:taken:<name> zset by how many had passed after each: when (I6), then that number
-- In      the name of a limit
-- Out     numbers; a moment 0 where there is none
-- Cost    one or two commands each
-- Beware  numbers are written as they are: whole, and below 2^53

local LATE_MAX, UNUSED = 10000, 86400000

local function whole(number) return string.format('%.0f', number) end

local function known_of(name)
  local known = redis.call('HMGET', P .. 'rate:' .. name, 'count', 'window', 'kept', 'total', 'closed')
  for i = 1, 5 do known[i] = tonumber(known[i]) end
  return { count = known[1], window = known[2], kept = known[3] or 0, total = known[4] or 0, closed = known[5] or 0 }
end

local function used(name) redis.call('ZADD', P .. 'rates', now, name) end

local function moment(entry) return entry and from_six(entry) or 0 end

local function nth_at(name, nth)
  return moment(redis.call('ZRANGE', P .. 'taken:' .. name, whole(nth), '+inf', 'BYSCORE', 'LIMIT', 0, 1)[1])
end

local function newest_at(name) return moment(redis.call('ZRANGE', P .. 'taken:' .. name, -1, -1)[1]) end

-- How many had passed when the window began. Moments rise with their places.
local function passed_before(name, from)
  local key = P .. 'taken:' .. name
  local low, high = 0, redis.call('ZCARD', key)
  while low < high do
    local middle = floor((low + high) / 2)
    if moment(redis.call('ZRANGE', key, middle, middle)[1]) <= from then low = middle + 1 else high = middle end
  end
  if low == 0 then return 0 end
  return tonumber(redis.call('ZRANGE', key, low - 1, low - 1, 'WITHSCORES')[2])
end
