-- tally: what lies in each queue, from counters (C10).
--
-- Keys    {p}:queues set   {p}:tally:<queue> hashes   heads of {p}:ready:* and {p}:line:*
-- In      nothing
-- Out     for each queue its name, the moment of its oldest ready job or '', its counters
-- Cost    about thirty commands a queue
-- Beware  a list may begin with entries of cancelled jobs: only so many are looked past

local STALE_MAX = 1000

local function stands(place)
  local raw = get(sub(place, 7))
  return raw and byte(raw, 1) == READY and bit.band(byte(raw, 2), LINED) == 0
    and sub(raw, 7, 12) == sub(place, 1, 6) and from_six(raw, 13)
end

local function oldest_of(queue, priority)
  local line = redis.call('ZRANGE', P .. 'line:' .. queue, priority * AGES, (priority + 1) * AGES - 1,
    'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
  local oldest = line[2] and tonumber(line[2]) - priority * AGES or nil
  for _, upto in ipairs({ 0, STALE_MAX }) do
    for _, place in ipairs(redis.call('LRANGE', P .. 'ready:' .. priority .. ':' .. queue, 0, upto)) do
      local age = stands(place)
      if age then return min(oldest or age, age) end
    end
  end
  return oldest
end

local reply = {}
for _, queue in ipairs(redis.call('SMEMBERS', P .. 'queues')) do
  local counters = redis.call('HGETALL', P .. 'tally:' .. queue)
  if #counters > 0 then
    local oldest
    for priority = 0, 9 do
      local age = oldest_of(queue, priority)
      if age and (not oldest or age < oldest) then oldest = age end
    end
    reply[#reply + 1] = { queue, oldest and six(oldest) or '', counters }
  end
end
return reply
