-- sweep: takes over the jobs of workers whose lease ran out, and decides nothing (C6).
--
-- Keys    {p}:workers set   {p}:worker:<id> hashes   {p}:gone set of those that may have left jobs
--         {p}:receipts:<worker> {p}:open:<worker> hashes   {p}:asked:<worker> sets
-- In      ARGV[3] worker, [4] n, [5] limit
-- Out     as exchange.lua, without answers
-- Cost    a look at every worker; for jobs taken as for jobs claimed
-- Beware  a gone worker is looked at for as long as it has receipts: nobody may have swept for days

local worker, n, limit = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local standing = take_number(worker, n)
if standing == 'gone' or standing == 'closed' then return { standing } end
if standing == 'again' then return { '', NOW, '', hand_again(worker, n) } end

local function lease_of(id)
  local lease = redis.call('HMGET', P .. 'worker:' .. id, 'leaseMs', 'leaseUntil', 'unbroken', 'gone')
  return tonumber(lease[1]), tonumber(lease[2]), tonumber(lease[3]), lease[4]
end

-- After an outage everybody renews first: who has just come back may not judge others.
local lease_ms, lease_until, unbroken = lease_of(worker)
lease_until = min(lease_until, now + lease_ms)
local entitled = lease_until > now and now - unbroken >= lease_ms
for _, id in ipairs(redis.call('SMEMBERS', P .. 'workers')) do
  local ms, until_at, _, gone = lease_of(id)
  if ms and not gone then
    -- The clock went back: no lease may last longer than a lease.
    if until_at > now + ms then
      redis.call('HSET', P .. 'worker:' .. id, 'leaseUntil', now + ms)
    elseif entitled and until_at <= now and id ~= worker then
      redis.call('HSET', P .. 'worker:' .. id, 'gone', now)
      redis.call('SADD', P .. 'gone', id)
    end
  end
end

local places, parts = {}, {}

local function take_receipt(owner, m, entries)
  local running, taken = still_running(owner, tonumber(m), entries), 0
  for _, one in ipairs(running) do
    if #places >= limit then break end
    local id, raw = one[1], one[2]
    local fresh, fence = take(worker, n, id, raw, sub(raw, 53, 58))
    places[#places + 1] = sub(raw, 7, 12) .. id .. fence
    describe(parts, id, fresh)
    if bit.band(byte(raw, 2), ASKED) > 0 then redis.call('SREM', P .. 'asked:' .. owner, id) end
    taken = taken + 1
  end
  if taken == #running then
    drop_receipt(owner, m)
  else
    redis.call('HINCRBY', P .. 'open:' .. owner, m, -taken)
  end
end

for _, owner in ipairs(redis.call('SMEMBERS', P .. 'gone')) do
  local numbers = redis.call('HKEYS', P .. 'receipts:' .. owner)
  for _, m in ipairs(numbers) do
    if #places >= limit then break end
    take_receipt(owner, m, redis.call('HGET', P .. 'receipts:' .. owner, m))
  end
  if redis.call('EXISTS', P .. 'receipts:' .. owner) == 0 then redis.call('SREM', P .. 'gone', owner) end
end

local receipt = hand_out(worker, n, places)
finish()
return { '', NOW, '', receipt, parts }
