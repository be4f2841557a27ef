-- call: how every call begins and ends: whose store it is, what time it is, what is counted and rung (C10).
--
-- Keys    {p}:store identity   {p}:tally:<queue> hash of counters   {p}:kinds hash of kind to its content
-- In      KEYS[1] names the store; ARGV[1] the identity the caller knows, ARGV[2] a lent time or nothing
-- Out     ERRAND_CHANGED when this is another store than the caller's
-- Cost    two commands, one for each counter that moved, one for each topic that rang
-- Beware  nothing is rolled back: read and check first, then write, and `finish` last

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('ERRAND_CHANGED this is another store')
end

local P = string.sub(KEYS[1], 1, -6)
local floor, min, max = math.floor, math.min, math.max
local sub, byte, char = string.sub, string.byte, string.char
local pack, unstruct = struct.pack, struct.unpack

local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + floor(time[2] / 1000)
end

local function six(number) return pack('>I6', number) end
local function from_six(bytes, at) return (unstruct('>I6', bytes, at)) end
local NOW, NEVER = six(now), string.rep('\0', 6)

-- What many jobs share is stored once: name, queue, policy.
local kinds = {}
local function kind(id)
  local known = kinds[id]
  if known == nil then
    local content = redis.call('HGET', P .. 'kinds', id)
    known = false
    if content then
      local job, queue = unstruct('>Hc0Hc0', content)
      known = { job = job, queue = queue }
    end
    kinds[id] = known
  end
  return known
end

-- Looked at before anything is written: a server that lost its last second may have lost a kind.
local function lacks_kind(ids)
  for at = 1, #ids, 8 do
    if not kind(sub(ids, at, at + 7)) then return redis.error_reply('ERRAND_KIND unknown') end
  end
end

local tallies = {}
local function tally(queue, column, count)
  local counts = tallies[queue]
  if not counts then
    counts = {}
    tallies[queue] = counts
  end
  counts[column] = (counts[column] or 0) + count
end

local rung = {}
local function finish_call()
  for queue, counts in pairs(tallies) do
    for column, count in pairs(counts) do
      if count ~= 0 then redis.call('HINCRBY', P .. 'tally:' .. queue, column, count) end
    end
  end
  for topic in pairs(rung) do redis.call('PUBLISH', P .. topic, '') end
end
