-- rates: what is known of limits, as people see it (C20).
--
-- Keys    what rate.lua names
-- In      nothing
-- Out     for each { name, count or '', window or '', how many passed within it, closed until or 0 }, the moments as texts
-- Cost    some commands a limit, and as many more as its calls have binary digits
-- Beware  at most 1 000

local reply = {}
for _, name in ipairs(redis.call('ZRANGE', P .. 'rates', 0, 999)) do
  local known = known_of(name)
  local taken = 0
  if known.window then taken = min(known.kept, known.total - passed_before(name, now - known.window)) end
  reply[#reply + 1] = { name, known.count and whole(known.count) or '', known.window and whole(known.window) or '',
    taken, whole(known.closed > now and known.closed or 0) }
end
return reply
