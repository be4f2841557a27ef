-- expired, forget: files whose time is over, and striking them off (C10).
--
-- Keys    {p}:files zset of id and name by expiry   {p}:files:<id> hashes
-- In      ARGV[3] 'expired', [4] limit; or 'forget', then id and name for each file
-- Out     { id and name, what is packed of it } for each file; nothing
-- Cost    two commands a file
-- Beware  a file is struck off once its bytes are gone, never before

if ARGV[3] == 'expired' then
  local reply = {}
  local places = redis.call('ZRANGE', P .. 'files', '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[4])
  for i, place in ipairs(places) do
    reply[i] = { place, redis.call('HGET', P .. 'files:' .. sub(place, 1, 16), sub(place, 17)) or '' }
  end
  return reply
end
for i = 4, #ARGV do
  redis.call('ZREM', P .. 'files', ARGV[i])
  redis.call('HDEL', P .. 'files:' .. sub(ARGV[i], 1, 16), sub(ARGV[i], 17))
end
return {}
