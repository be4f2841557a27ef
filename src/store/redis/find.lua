-- find, attempts, logs, holder: jobs as they lie here, and what they left (C10, C11).
--
-- Keys    {p}:j:<id> rows   {p}:files:<id> hashes   {p}:held:<key> zsets
-- In      ARGV[3] ids
-- Out     for each job its row, '' for none; after a row a list of its files and what is packed of each
-- Cost    one MGET, more for jobs with keys of their own
-- Beware  reads only; the row is given whole, whatever lies beside

local ids, reply = {}, {}

-- The key in whose line it stands, as a section of its row: there it is not.
local function held_by(id, raw)
  local limits = byte(raw, 1) == READY and limits_of(raw)
  local key = limits and holder_of(limits, sub(raw, 7, 12) .. id)
  return key and pack('>c1I4', 'h', #key) .. key or ''
end

for at = 1, #ARGV[3], 16 do ids[#ids + 1] = sub(ARGV[3], at, at + 15) end
fetch(ids)
for _, id in ipairs(ids) do
  local raw = rows[id]
  reply[#reply + 1] = raw and whole(id, raw) .. held_by(id, raw) or ''
  local files = {}
  if raw and bit.band(byte(raw, 2), TRAILS) > 0 then
    files = redis.call('HGETALL', P .. 'files:' .. id)
  end
  reply[#reply + 1] = files
end
return reply
