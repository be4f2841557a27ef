-- audit, audits: the log of who did what (C19).
--
-- Keys    {p}:audit stream of entries under rising numbers   {p}:head hash; its field `audit` is the last number
-- In      ARGV[3] 'add', then entries; or 'page', [4] the number before which to begin or '', [5] how many
-- Out     nothing; the number, the moment and the entry of each, the newest first
-- Cost    one command an entry; one a page
-- Beware  entries are never changed: purge takes them away at the old end

if ARGV[3] == 'page' then
  local before = ARGV[4] == '' and '+' or '(' .. ARGV[4] .. '-0'
  local found = redis.call('XREVRANGE', P .. 'audit', before, '-', 'COUNT', ARGV[5])
  local reply = {}
  for i, one in ipairs(found) do
    reply[i] = { string.match(one[1], '^(%d+)'), one[2][2], one[2][4] }
  end
  return reply
end
for i = 4, #ARGV do
  local n = redis.call('HINCRBY', P .. 'head', 'audit', 1)
  redis.call('XADD', P .. 'audit', n .. '-0', 'at', now, 'entry', ARGV[i])
end
return {}
