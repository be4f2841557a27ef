-- audit, audits: the log of who did what (C19).
--
-- Keys    {p}:audit stream of entries under rising numbers   {p}:head hash; its field `audit` is the last number
-- In      ARGV[3] 'add', [4] its number, [5] the entry; or 'page', [4] the number before which to begin or '', [5] how many
-- Out     whether it was added; the number, the moment and the entry of each, the newest first
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
local n = tonumber(ARGV[4])
if n ~= 1 + tonumber(redis.call('HGET', P .. 'head', 'audit') or 0) then return 0 end
redis.call('HSET', P .. 'head', 'audit', n)
redis.call('XADD', P .. 'audit', n .. '-0', 'at', now, 'entry', ARGV[5])
return 1
