-- entries: what is kept under names of one kind (C18).
--
-- Keys    {p}:entries:<kind> hash of name to stamp, moment and value   {p}:due:<kind> zset of names by moment
-- In      ARGV[3] the kind; ARGV[4] all, due or name; ARGV[5] how many at most, or which name
-- Out     the time; the next moment at which one is wanted, or nothing; names and what is kept under them
-- Cost    one look at what is asked for
-- Beware  a moment of 0 is none

local entries, due = P .. 'entries:' .. ARGV[3], P .. 'due:' .. ARGV[3]
local next = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2]
local found = {}
if ARGV[4] == 'all' then
  found = redis.call('HGETALL', entries)
else
  local names = { ARGV[5] }
  if ARGV[4] == 'due' then names = redis.call('ZRANGE', due, '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[5]) end
  for _, name in ipairs(names) do
    local kept = redis.call('HGET', entries, name)
    if kept then found[#found + 1], found[#found + 2] = name, kept end
  end
end
return { NOW, next and six(tonumber(next)) or '', found }
