-- erase: removes jobs that have ended, and all they left, now (C8, C10, C12).
--
-- Keys    {p}:alias hash of id to job and fingerprint   {p}:aliases zset by the moment to go   what remove.lua names
-- In      ARGV[3] ids
-- Out     a byte a job: e(rased) h(ooked) f(illing) g(one), or the state it is in
-- Cost    some commands a job
-- Beware  a request that named its id is remembered under that: a repeat of it makes no other job

local function erase(id)
  local raw = get(id)
  if not raw then return 'g' end
  if byte(raw, 1) < COMPLETED then return sub(raw, 1, 1) end
  if is_looked_back_on(id) then return 'h' end
  if may_come(raw) then return 'f' end
  local row = remove(id, raw, true)
  local until_when = from_six(row.created_at) + ALIAS_MS
  if row.has.p and until_when > now then
    redis.call('HSET', P .. 'alias', id, id .. row.has.p)
    redis.call('ZADD', P .. 'aliases', until_when, id)
  end
  rung.change = true
  return 'e'
end

local answers = {}
for at = 1, #ARGV[3], 16 do answers[#answers + 1] = erase(sub(ARGV[3], at, at + 15)) end
open_head()
finish_batches()
seat()
finish_removed()
return table.concat(answers)
