-- over: writes down what became of items, and ends, stops or opens again the batches they are of (C16).
--
-- Keys    {p}:batch:<id> hash   {p}:batches:open zset by when items came last   {p}:batches:stopped set
--         {p}:batches:purge zset by the moment to go   what arrive.lua names
-- In      what batch.lua gathered
-- Out     the job at the end of each batch that is over is on its way: call before `seat`
-- Cost    one command for each number that moved, one look a batch
-- Beware  one that has ended is open again when an item of it is given another life

-- Its own for each ending: the last four digits count them.
local ENDINGS_MAX = 65535

local function stop_batch(batch, why)
  local key = P .. 'batch:' .. batch
  redis.call('HSET', key, 'stopped', why)
  redis.call('HSETNX', key, 'closed', now)
  redis.call('ZREM', P .. 'batches:open', batch)
  redis.call('SADD', P .. 'batches:stopped', batch)
  rung.change = true
end

-- Failures of old stop nobody: where many items are given another life, too many are left at first.
local function judge(batch, is_news)
  local key = P .. 'batch:' .. batch
  local known = redis.call('HMGET', key, 'items', 'completed', 'failed', 'cancelled', 'max', 'stopped', 'ended',
    'closed', 'keep', 'end')
  local items, done, bad, off = tonumber(known[1]), tonumber(known[2]), tonumber(known[3]), tonumber(known[4])
  local most, ended, closed = tonumber(known[5]), known[7], known[8]
  if is_news and most and bad > most and not known[6] and not ended then
    stop_batch(batch, 'failures')
    closed = now
  end
  if done + bad + off < items then
    if ended then
      redis.call('HDEL', key, 'ended', 'stopped')
      redis.call('ZREM', P .. 'batches:purge', batch)
    end
  elseif closed and not ended then
    rung.change = true
    redis.call('HSET', key, 'ended', now)
    redis.call('SREM', P .. 'batches:stopped', batch)
    redis.call('ZADD', P .. 'batches:purge', now + tonumber(known[9]), batch)
    local ending = redis.call('HINCRBY', key, 'endings', 1)
    if not known[10] then return end
    local id, size, _, from = unstruct('>c16I4I4', known[10])
    arrive(sub(id, 1, 14) .. pack('>H', min(ending, ENDINGS_MAX)), sub(known[10], from, from + size - 1),
      sub(known[10], from + size))
  end
end

-- Bytes, as strings would be compared by the server's locale.
local function is_before(one, other)
  for i = 1, 16 do
    local a, b = byte(one, i), byte(other, i)
    if a ~= b then return a < b end
  end
  return false
end

local function finish_batches()
  local batches = {}
  for batch in pairs(told) do batches[#batches + 1] = batch end
  table.sort(batches, is_before)
  for _, batch in ipairs(batches) do
    local changes, key = told[batch], P .. 'batch:' .. batch
    if redis.call('EXISTS', key) == 1 then
      for field, count in pairs(changes) do
        if count ~= 0 then redis.call('HINCRBY', key, field, count) end
      end
      if changes.items then
        redis.call('HSET', key, 'filled', now)
        redis.call('ZADD', P .. 'batches:open', now, batch)
      end
      judge(batch, (changes.failed or 0) > 0)
    end
  end
  told = {}
end
