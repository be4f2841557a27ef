-- workers, metrics, bury: who works here, what they left, and its sum (C10).
--
-- Keys    {p}:workers set   {p}:worker:<id> {p}:open:<worker> {p}:receipts:<worker> hashes   {p}:buried
-- In      nothing to look; to bury: ARGV[3] ids of workers, [4] and [5] the sum as it was seen and as it is
--         to be, each '' or '=' and the bytes
-- Out     { sum or '', { id, running, receipts, its hash } ... }; for a burial how many, -1 to come again
-- Cost    some commands a worker
-- Beware  the sum is made outside: it is only written when nobody made another meanwhile

if ARGV[3] then
  local sum = redis.call('GET', P .. 'buried')
  if (sum and '=' .. sum or '') ~= ARGV[4] then return -1 end
  local ids = {}
  for at = 1, #ARGV[3], 16 do
    local id = sub(ARGV[3], at, at + 15)
    if redis.call('SISMEMBER', P .. 'workers', id) == 0 then return -1 end
    ids[#ids + 1] = id
  end
  if ARGV[5] ~= '' then redis.call('SET', P .. 'buried', sub(ARGV[5], 2)) end
  for _, id in ipairs(ids) do
    redis.call('DEL', P .. 'worker:' .. id, P .. 'open:' .. id, P .. 'asked:' .. id)
    redis.call('SREM', P .. 'workers', id)
    redis.call('SREM', P .. 'gone', id)
  end
  return #ids
end

local reply = { redis.call('GET', P .. 'buried') or '', NOW }
for _, id in ipairs(redis.call('SMEMBERS', P .. 'workers')) do
  local running = 0
  for _, open in ipairs(redis.call('HVALS', P .. 'open:' .. id)) do running = running + tonumber(open) end
  local receipts = redis.call('HLEN', P .. 'receipts:' .. id)
  reply[#reply + 1] = { id, running, receipts, redis.call('HGETALL', P .. 'worker:' .. id) }
end
return reply
