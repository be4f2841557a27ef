-- register, renew, retire: workers come, stay and go (C5, C6).
--
-- Keys    {p}:workers set   {p}:worker:<id> hash   {p}:gone set   {p}:asked:<worker> set
-- In      ARGV[3] the verb, [4] worker 16 bytes, then leaseMs and info, or metrics if any
-- Out     for renew nothing when it is gone, else the ids whose cancel was asked
-- Cost    a few commands
-- Beware  a lease that lapsed and came back is a new lease: its worker may not sweep for one TTL

local verb, worker = ARGV[3], ARGV[4]
local key = P .. 'worker:' .. worker
local known = redis.call('HMGET', key, 'leaseMs', 'leaseUntil', 'unbroken', 'gone')
local lease_ms, lease_until = tonumber(known[1]), tonumber(known[2])

local reply = false
if verb == 'register' and not lease_ms then
  local ms = tonumber(ARGV[5])
  redis.call('HSET', key, 'leaseMs', ms, 'leaseUntil', now + ms, 'unbroken', now, 'registered', now,
    'newest', 0, 'second', 0, 'info', ARGV[6])
  redis.call('SADD', P .. 'workers', worker)
elseif verb == 'renew' and lease_ms and not known[4] then
  local unbroken = lease_until <= now and now or min(tonumber(known[3]), now)
  redis.call('HSET', key, 'unbroken', unbroken, 'leaseUntil', now + lease_ms)
  if ARGV[5] then redis.call('HSET', key, 'metrics', ARGV[5]) end
  reply = table.concat(redis.call('SMEMBERS', P .. 'asked:' .. worker))
elseif verb == 'retire' then
  if lease_ms then
    redis.call('HSET', key, 'gone', known[4] or now, 'leaseUntil', min(lease_until, now))
    redis.call('SADD', P .. 'gone', worker)
  end
  -- Idle workers look again, and those entitled to sweep do.
  rung.ready = true
end
finish_call()
return reply
