-- unused: forgets limits that nobody used for long (C20).
--
-- Keys    what rate.lua names
-- In      nothing
-- Out     how many were forgotten
-- Cost    one command, and some for each that goes
-- Beware  one whose span is longer is kept for that, and one that is closed until it opens

local count = 0
for _, name in ipairs(redis.call('ZRANGE', P .. 'rates', '-inf', whole(now - UNUSED - 1), 'BYSCORE', 'LIMIT', 0, 100)) do
  local known, at = known_of(name), tonumber(redis.call('ZSCORE', P .. 'rates', name))
  if at < now - UNUSED - (known.window or 0) and known.closed <= now then
    redis.call('DEL', P .. 'rate:' .. name, P .. 'taken:' .. name)
    redis.call('ZREM', P .. 'rates', name)
    count = count + 1
  end
end
return count
