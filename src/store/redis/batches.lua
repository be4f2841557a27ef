-- batches: opens one, closes or stops it; names those that are stopped (C16).
--
-- Keys    {p}:batches zset by arrival   {p}:batches:open zset by when items came last   {p}:batches:stopped set
--         what over.lua names
-- In      ARGV[3] what to do, ARGV[4] the id; `open`: ARGV[5] the kind of its last job or '', then fields and values;
--         `closed`: ARGV[5] how many may fail or ''; `stopped`: ARGV[5] why; `idle`: ARGV[4] for how long nothing came
-- Out     the fields and values of the batch, none when it is not here; of `idle` the ids of all that are stopped
-- Cost    some commands
-- Beware  what it is already it stays: a call may be repeated

local SOME = 100
local what, batch, more = ARGV[3], ARGV[4], ARGV[5]

if what == 'idle' then
  local idle = redis.call('ZRANGE', P .. 'batches:open', '-inf', now - tonumber(batch), 'BYSCORE', 'LIMIT', 0, SOME)
  table.sort(idle, is_before)
  open_head()
  for _, one in ipairs(idle) do
    stop_batch(one, 'unclosed')
    judge(one, false)
  end
  seat()
  finish()
  local all = redis.call('SMEMBERS', P .. 'batches:stopped')
  local some = {}
  for i = 1, min(#all, SOME) do some[i] = all[i] end
  return table.concat(some)
end

local key, is_news = P .. 'batch:' .. batch, false
local is_here = redis.call('EXISTS', key) == 1
if what == 'open' and not is_here then
  local lacking = lacks_kind(more)
  if lacking then return lacking end
  local turn_of = redis.call('HINCRBY', P .. 'head', 'batch', 1)
  redis.call('HSET', key, 'turn', turn_of, 'created', now, 'filled', now, 'items', 0, 'completed', 0, 'warned', 0,
    'failed', 0, 'cancelled', 0, 'erased', 0, 'endings', 0, unpack(ARGV, 6))
  redis.call('ZADD', P .. 'batches', turn_of, batch)
  redis.call('ZADD', P .. 'batches:open', now, batch)
elseif what == 'closed' and is_here then
  if redis.call('HSETNX', key, 'closed', now) == 1 then
    is_news = true
    redis.call('ZREM', P .. 'batches:open', batch)
    if more ~= '' then redis.call('HSET', key, 'max', more) end
  end
elseif what == 'stopped' and is_here then
  local known = redis.call('HMGET', key, 'stopped', 'ended')
  if not known[1] and not known[2] then stop_batch(batch, more) end
end
if is_here then
  open_head()
  judge(batch, is_news)
  seat()
end
finish()
return redis.call('HGETALL', key)
